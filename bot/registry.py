"""Which handler takes which event, and what has a clock: a line here and the worker knows it."""

from collections.abc import Mapping

from handlers import (
    appeal,
    blocklist,
    by_hand,
    calendar,
    checkins,
    corp,
    coupons,
    draw_entry,
    draws,
    entrance,
    join_ways,
    joiners,
    journeys,
    late_strangers,
    leading,
    matters,
    message,
    native_controls,
    openids,
    own_sends,
    own_tags,
    payouts,
    person,
    post_report,
    posts,
    press,
    prizes,
    reconcile,
    removal,
    report,
    rewards,
    roster,
    seats_due,
    send_over,
    sends,
    stock,
    todo,
    welcome,
)
from handlers.handler import Handler
from rules import events
from rules.events import Event
from scheduler import draws as draws_sweep
from scheduler import join_ways as join_ways_sweep
from scheduler import journeys as journeys_sweep
from scheduler import native_controls as native_controls_sweep
from scheduler import openids as openids_sweep
from scheduler import own_tags as own_tags_sweep
from scheduler import payouts as payouts_sweep
from scheduler import person as person_sweep
from scheduler import post_report as post_report_sweep
from scheduler import posts as posts_sweep
from scheduler import reconcile as reconcile_sweep
from scheduler import removal as removal_sweep
from scheduler import rewards as rewards_sweep
from scheduler import roster as roster_sweep
from scheduler import seats as seats_sweep
from scheduler import stock as stock_sweep
from scheduler import strikes as strikes_sweep
from scheduler import todo as todo_sweep
from scheduler import welcome as welcome_sweep
from scheduler.sweep import Sweep

HANDLERS: Mapping[type[Event], Handler] = {
    events.GroupCreated: roster,
    events.GroupDismissed: roster,
    events.GroupChanged: roster,
    events.MembersJoined: roster,
    events.MembersLeft: roster,
    events.GroupReadDue: roster,
    events.RosterReadDue: corp,
    events.GroupsReadDue: reconcile,
    events.ContactAdded: person,
    events.PersonCheckDue: person,
    events.CardDue: removal,
    events.CardPressed: press,
    events.CasesPressed: press,
    events.TodoDue: todo,
    events.WelcomeDue: welcome,
    events.OpenidsDue: openids,
    events.PersonIdentified: late_strangers,
    events.RewardsDue: rewards,
    events.PostReportDue: post_report,
    events.ControlsCheckDue: native_controls,
    events.EntranceScanned: entrance,
    events.SeatDue: seats_due,
    events.JoinerSeen: joiners,
    events.StockDue: stock,
    events.JoinWaysReadDue: join_ways,
    events.MessagePosted: message,
    events.MattersPressed: matters,
    events.MemberReported: report,
    events.AppealMade: appeal,
    events.AppealDecided: appeal,
    events.BlocklistChanged: blocklist,
    events.CaseStepDue: removal,
    events.CalendarDue: calendar,
    events.PostDue: posts,
    events.PostDecided: posts,
    events.SendDue: sends,
    events.SendOver: send_over,
    events.SendSaid: by_hand,
    events.OwnSendsDue: own_sends,
    events.OwnTagsDue: own_tags,
    events.DrawsDue: draws,
    events.DrawStepDue: draws,
    events.DrawEntered: draw_entry,
    events.PrizeClaimed: prizes,
    events.WinnerUnpayable: prizes,
    events.PayoutsDue: payouts,
    events.CouponRedeemed: coupons,
    events.JourneyAsked: journeys,
    events.OptedOut: journeys,
    events.JourneyStarted: leading,
    events.JourneysDue: leading,
    events.CheckedIn: checkins,
    events.MadeUp: checkins,
    events.LeaveTaken: checkins,
    events.CheckinUndone: checkins,
}
"""Who handles what. An event that is not here is kept and marked ignored."""

SWEEPS: tuple[Sweep, ...] = (
    roster_sweep,
    reconcile_sweep,
    person_sweep,
    strikes_sweep,
    removal_sweep,
    todo_sweep,
    welcome_sweep,
    rewards_sweep,
    native_controls_sweep,
    seats_sweep,
    join_ways_sweep,
    stock_sweep,
    posts_sweep,
    post_report_sweep,
    draws_sweep,
    openids_sweep,
    own_tags_sweep,
    journeys_sweep,
    payouts_sweep,
)
