"""Which handler takes which event, and what has a clock: a line here and the worker knows it."""

from collections.abc import Mapping

from handlers import (
    appeal,
    blocklist,
    corp,
    matters,
    message,
    native_controls,
    person,
    press,
    reconcile,
    removal,
    report,
    rewards,
    roster,
    todo,
    welcome,
)
from handlers.handler import Handler
from rules import events
from rules.events import Event
from scheduler import native_controls as native_controls_sweep
from scheduler import person as person_sweep
from scheduler import reconcile as reconcile_sweep
from scheduler import removal as removal_sweep
from scheduler import rewards as rewards_sweep
from scheduler import roster as roster_sweep
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
    events.RewardsDue: rewards,
    events.ControlsCheckDue: native_controls,
    events.MessagePosted: message,
    events.MattersPressed: matters,
    events.MemberReported: report,
    events.AppealMade: appeal,
    events.AppealDecided: appeal,
    events.BlocklistChanged: blocklist,
    events.CaseStepDue: removal,
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
)
