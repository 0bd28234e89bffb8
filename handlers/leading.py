"""Journeys go on: after each day, and whenever their clock says so, what has come due is done, from the rows alone.

Tags, rewards and the end are looked at when a day cannot be undone any more. Whatever is worked on twice is done once.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from handlers import checkin_rewards, checkin_sends, contacts, graduation, matters
from handlers.contacts import Asked
from handlers.journeys import kinds_of
from rules.book import Book
from rules.checkin_days import date_of
from rules.checkin_promise import as_promised
from rules.checkins import Checkin
from rules.content import Attachment
from rules.decision import Decision
from rules.events import JourneysDue, JourneyStarted
from rules.leading import AtRisk, Led, due, next_at, page_of, say_at_risk, say_card, say_reminder
from rules.streak import Tally, ends_at, tally, theme_of
from store import checkin_rewards as reward_rows
from store import checkins, draw_entrants, identities, leading, roster
from store import matters as matter_rows
from store.checkin_rewards import CheckinRewardRow
from store.checkins import DayRow, JourneyRow
from store.database import Database, Tx
from store.leading import Nudge, NudgeRow
from wecom.gateway import Gateway

AnyDue = JourneyStarted | JourneysDue

SEEN_TO_WITHIN = timedelta(days=3)
"""How many days a list of whom to look after is gone over again: after its own day it is only closed."""


@dataclass
class Stand:
    """One journey and all that hangs on it, as it is now."""

    checkin: Checkin
    row: JourneyRow
    days: list[DayRow]
    nudges: list[NudgeRow]
    rewards: list[CheckinRewardRow]
    external_userid: str | None
    now: datetime

    @property
    def settled(self) -> list[DayRow]:
        """What cannot be undone any more."""
        return [day for day in self.days if self.now >= day.at + self.checkin.undo_within]

    @property
    def rewarded(self) -> list[DayRow]:
        """Of those the days that may bring something: never one whose task is to add a member of staff."""
        kinds, plan = kinds_of(self.days), self.checkin.plan
        tasks = {day.on: plan[theme_of(self.checkin, self.row.started_on, kinds, day.on) - 1] for day in self.settled}
        return [day for day in self.settled if not tasks[day.on].add_staff]

    def tally(self, days: Sequence[DayRow]) -> Tally:
        return tally(self.checkin, self.row.started_on, kinds_of(days), self.now)

    @property
    def ends_at(self) -> datetime:
        return ends_at(self.checkin, self.row.started_on, kinds_of(self.days))

    @property
    def led(self) -> Led:
        return Led(
            started_on=self.row.started_on,
            days=kinds_of(self.days),
            reminded=frozenset(each.on for each in self.nudges if each.nudge == "remind"),
            handed=frozenset(each.on for each in self.nudges if each.nudge == "hand_over"),
            quiet=self.row.no_reminders,
            last=self.tally(self.days).last,
        )


async def look_up(event: AnyDue, wecom: Gateway, store: Database, now: datetime) -> Asked:
    """Who has added these people, where that is not known."""
    async with store.read() as tx:
        rows = await leading.journeys(tx, _ids(event))
        known_as = await identities.externals_of(tx, {row.visitor_id for row in rows if row.state == "going"})
    return await contacts.ask(wecom, store, list(known_as.values()), now=now)


def _ids(event: AnyDue) -> tuple[int, ...]:
    return event.journey_ids if isinstance(event, JourneysDue) else (event.journey_id,)


async def handle(event: AnyDue, seen: Asked, tx: Tx, book: Book, now: datetime) -> list[Decision]:
    """Do for each journey what has come due, and say when it is next."""
    await contacts.remember(tx, seen, now=now)
    room = defaultdict[str, set[str]](set)
    lists = set[tuple[str, date, str]]()
    for stand in await _stands(tx, book, _ids(event), now=now):
        was = stand.row.state
        await _go_on(tx, book, stand)
        lists |= {
            (stand.checkin.name, each.on, each.userid)
            for each in stand.nudges
            if each.nudge == "hand_over" and each.on > date_of(now) - SEEN_TO_WITHIN
        }
        if stand.row.state != was and stand.row.chat_id:
            room[stand.checkin.name].add(stand.row.chat_id)
    await tx.flush()
    await _tell(tx, book, room, lists, now=now)
    return []


async def _stands(tx: Tx, book: Book, journey_ids: Sequence[int], *, now: datetime) -> list[Stand]:
    """These journeys, read at once; of what the config does not have any more nothing is due."""
    rows = await leading.journeys(tx, journey_ids, lock=True)
    for row in rows:
        row.next_at = None
    rows = [row for row in rows if row.state != "merged" and book.checkin(row.checkin) is not None]
    visitors = {row.visitor_id for row in rows}
    days = await checkins.days_of_all(tx, [row.id for row in rows])
    nudges = await leading.nudges_of_all(tx, [row.id for row in rows])
    rewards = await reward_rows.of_people(tx, visitors)
    known_as = await identities.externals_of(tx, visitors)
    return [
        Stand(
            checkin=as_promised(checkin, row.rules),
            row=row,
            days=days[row.id],
            nudges=nudges.get(row.id, []),
            rewards=[each for each in rewards.get(row.visitor_id, []) if each.checkin == row.checkin],
            external_userid=known_as.get(row.visitor_id),
            now=now,
        )
        for row in rows
        if (checkin := book.checkin(row.checkin)) is not None
    ]


async def _tell(
    tx: Tx, book: Book, room: dict[str, set[str]], lists: set[tuple[str, date, str]], *, now: datetime
) -> None:
    """What staff have in their daily lists is brought up to date, once for all of these journeys."""
    for name, chat_ids in room.items():
        if (checkin := book.checkin(name)) is not None:
            await graduation.tell_of_leavers(tx, book, checkin, chat_ids, now=now)
    for name, on, userid in sorted(lists):
        if (checkin := book.checkin(name)) is not None:
            await _tell_at_risk(tx, book, checkin, on, userid, now=now)


async def _go_on(tx: Tx, book: Book, stand: Stand) -> None:
    """One journey, to where it is to be now."""
    checkin, row, now = stand.checkin, stand.row, stand.now
    settled = stand.settled
    moments: list[datetime | None] = [day.at + checkin.undo_within for day in stand.days if day not in settled]
    if row.state in ("going", "graduated"):
        await graduation.keep_tags(tx, checkin, row, settled, now=now)
        reached = stand.tally(settled).reached
        await checkin_rewards.grant(tx, book, checkin, row, stand.rewards, reached, now=now)
    if row.state == "going":
        await _lead(tx, book, stand)
    await checkin_rewards.give_points(tx, book, checkin, stand.rewarded, stand.external_userid, now=now)
    moments.append(await checkin_rewards.hand_over(tx, checkin, stand.rewards, stand.external_userid, now=now))
    if row.state == "going":
        moments += [stand.ends_at, next_at(checkin, stand.led, now)]
    row.next_at = min((each for each in moments if each is not None and each > now), default=None)


async def _lead(tx: Tx, book: Book, stand: Stand) -> None:
    """Of a journey that is under way: its end, or the next thing that staff do for it."""
    state, now = stand.tally(stand.settled), stand.now
    if state.done:
        await graduation.graduate(tx, book, stand.checkin, stand.row, state, stand.external_userid, now=now)
        return
    if now >= stand.ends_at and len(stand.settled) == len(stand.days):
        await graduation.drop(tx, stand.row, state, stand.days, stand.external_userid, now=now)
        return
    for step in due(stand.checkin, stand.led, now):
        userid = await checkin_sends.sender_for(tx, stand.external_userid, stand.row.chat_id)
        nudge = await (_remind if step == "remind" else _hand_over)(tx, stand, userid)
        if nudge is not None and await leading.note_nudge(tx, nudge):
            stand.nudges.append(nudge)


# --- reminding --------------------------------------------------------------------------------------------------------


async def _remind(tx: Tx, stand: Stand, userid: str) -> NudgeRow | None:
    """A colleague who has added them says it 1:1. None: nobody can."""
    if not userid or stand.external_userid is None:
        return None
    checkin, today = stand.checkin, date_of(stand.now)
    card = Attachment(kind="link", url=page_of(checkin), title=say_card(checkin), description=checkin.title)
    key = await checkin_sends.say(
        tx,
        checkin,
        "checkin-remind",
        sender=userid,
        to=stand.external_userid,
        on=today,
        title=f"「{checkin.title}」打卡提醒",
        text=say_reminder(checkin),
        cards=[card],
        now=stand.now,
    )
    return _nudge(stand, "remind", userid, send_key=key)


def _nudge(stand: Stand, nudge: Nudge, userid: str, *, name: str = "", send_key: str = "") -> NudgeRow:
    today = date_of(stand.now)
    return NudgeRow(
        journey_id=stand.row.id,
        on=today,
        nudge=nudge,
        day=stand.row.number_of(today),
        userid=userid,
        name=name,
        send_key=send_key,
        at=stand.now,
    )


# --- at risk ----------------------------------------------------------------------------------------------------------


async def _hand_over(tx: Tx, stand: Stand, userid: str) -> NudgeRow | None:
    """Into the daily list of a colleague who has added them, else of their group's owner. None: there is neither."""
    group = await roster.group(tx, stand.row.chat_id) if stand.row.chat_id else None
    userid = userid or (group.owner if group else "")
    if not userid or stand.external_userid is None:
        return None
    names = await draw_entrants.names_of(tx, [stand.external_userid])
    return _nudge(stand, "hand_over", userid, name=names.get(stand.external_userid, ""))


async def _tell_at_risk(tx: Tx, book: Book, checkin: Checkin, on: date, userid: str, *, now: datetime) -> None:
    """One matter a day and colleague, of those who have not checked in meanwhile; yesterday's is over."""
    prefix = f"at-risk:{checkin.name}:{userid}:"
    key = f"{prefix}{on.isoformat()}"
    if on < date_of(now):
        await matter_rows.settle(tx, key, outcome="settled", now=now)
        return
    handed = await leading.handed_to(tx, checkin.name, on, userid)
    days = await checkins.days_of_all(tx, [each.journey_id for each in handed])
    people = [
        AtRisk(name=each.name, day=each.day)
        for each in handed
        if not any(day.on == on for day in days[each.journey_id])
    ]
    await matter_rows.settle_but(tx, prefix, key if people else "", now=now)
    if people:
        title, text = say_at_risk(checkin, people)
        await matters.raise_one(tx, book, key, audience="person", userid=userid, title=title, text=text, now=now)
