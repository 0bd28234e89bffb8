"""Somebody checks in for a day, makes up for one, takes leave, or takes it back. What it comes to is counted from the
rows, never kept.

Pages call `look_up` (no transaction), then `handle` in a writing one; staff's deeds for a customer come through the
inbox, so that the trace has them. Pressed twice, on two phones, or by two staff at once: one row.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from handlers import identity
from handlers.journeys import OVER, Seen, begin, go_on, is_for, kinds_of, tags_of, told
from rules.book import Book
from rules.checkin_days import date_of, first_day, monday_of, open_days
from rules.checkin_promise import as_promised
from rules.checkin_words import say_day
from rules.checkins import MOST_WORDS, Checkin, JourneyDay
from rules.decision import Decision
from rules.events import CheckedIn, CheckinUndone, LeaveTaken, MadeUp, MessagePosted
from rules.identity import Proof
from rules.lanes import NORMAL
from rules.streak import Tally, tally, theme_of
from store import checkins, identities, inbox, roster
from store.checkins import DayKind, DayRow, JourneyRow
from store.database import Database, Tx
from store.roster import GroupRow
from wecom.gateway import Gateway

Deed = CheckedIn | MadeUp | LeaveTaken | CheckinUndone

DONE = "您已经打满毕业了"
OPTED_OUT = "您已经退出了这个打卡，可以点「接着打卡」回来"
SHUT = "这一天已经不能打卡了"
NO_CARD = "补签卡用完了"
NOT_MISSED = "这一天不用补，或者太久了补不了"
NO_LEAVE = "请假的天数用完了"
NOT_FREE = "这一天已经打过卡，不用请假"
NOTHING = "这一天没有可以撤销的"
TOO_LATE = "过了可以撤销的时间"
NOT_MEANT = "这次打卡没有邀请您，下次再来"
NOT_YOURS = "TA 不在您的群里"


async def look_up(event: Deed, wecom: Gateway, store: Database, now: datetime) -> Seen:
    """Of whoever begins with this: their tags, where they are known by name."""
    if not isinstance(event, CheckedIn):
        return Seen()
    async with store.read() as tx:
        if await checkins.of_visitor(tx, event.checkin, event.visitor_id) is not None:
            return Seen()
        external_userid = await identities.external_of(tx, event.visitor_id)
    return Seen(await tags_of(wecom, external_userid)) if external_userid else Seen()


async def handle(event: Deed, seen: Seen, tx: Tx, book: Book, now: datetime) -> list[Decision]:
    """Hit: it is written down, now or before. Miss: why not, in words for the one who pressed."""
    checkin = book.checkin(event.checkin)
    visitor_id = await identities.visitor_now(tx, event.visitor_id)
    if checkin is None or visitor_id is None:
        return []
    await identities.lock(tx, [visitor_id])
    external_userid = await identities.external_of(tx, visitor_id)
    said, chat_id = f"{_DEEDS[event.kind]}{f'（{event.by} 代办）' if event.by else ''}", ""
    try:
        await _must_be_allowed(tx, event, external_userid)
        row = await _going(tx, book, checkin, event, visitor_id, seen, now=now)
        checkin = as_promised(checkin, row.rules)
        chat_id, days = row.chat_id, {day.on: day for day in await checkins.days_of(tx, row.id)}
        state = tally(checkin, row.started_on, kinds_of(days.values()), event.at)
        await _do(tx, Standing(checkin, row, days, state), event, now=now)
    except _No as no:
        said = str(no)
        return [told(checkin, "miss", said, subject=external_userid or f"v{visitor_id}", chat_id=chat_id)]
    return [told(checkin, "hit", said, subject=external_userid or f"v{visitor_id}", chat_id=chat_id)]


_DEEDS = {"checked_in": "打了卡", "made_up": "补签了一天", "leave_taken": "请了一天假", "checkin_undone": "撤销了打卡"}


class _No(Exception):  # noqa: N818 - says what it is
    """Why not, in words for the one who pressed."""


@dataclass(frozen=True)
class Standing:
    """A journey as it stands at this moment. `days`: what counts, by date."""

    checkin: Checkin
    row: JourneyRow
    days: Mapping[date, DayRow]
    state: Tally

    def theme_on(self, on: date) -> JourneyDay:
        kinds = kinds_of(self.days.values())
        return self.checkin.plan[theme_of(self.checkin, self.row.started_on, kinds, on) - 1]

    def kind_on(self, on: date) -> str:
        return self.days[on].kind if on in self.days else ""


# --- who may ----------------------------------------------------------------------------------------------------------


async def _must_be_allowed(tx: Tx, event: Deed, external_userid: str | None) -> None:
    if event.by and not await may_act_for(tx, event.by, external_userid):
        raise _No(NOT_YOURS)


async def may_act_for(tx: Tx, userid: str, external_userid: str | None) -> bool:
    """Whether a member of staff shares a group with this customer: then they may do things for them."""
    groups = await roster.groups_of(tx, external_userid) if external_userid else []
    return any(userid in (group.owner, *group.staff) for group, _ in groups)


async def _going(
    tx: Tx, book: Book, checkin: Checkin, event: Deed, visitor_id: int, seen: Seen, *, now: datetime
) -> JourneyRow:
    """The journey that it is done in; whoever checks in and has none begins one."""
    row = await checkins.of_visitor(tx, checkin.name, visitor_id)
    if row is None:
        if not isinstance(event, CheckedIn):
            raise _No(NOTHING)
        if checkin.pause:
            raise _No(OVER)
        if set(seen.tags) & set(checkin.exclude_tags):
            raise _No(NOT_MEANT)
        return await _first(tx, book, checkin, event, visitor_id, now=now)
    if row.state == "dropped" and isinstance(event, CheckedIn):
        await go_on(tx, checkin, row, now=now)
    if row.state != "going":
        raise _No({"graduated": DONE, "opted_out": OPTED_OUT}.get(row.state, OVER))
    return row


async def _first(
    tx: Tx, book: Book, checkin: Checkin, event: CheckedIn, visitor_id: int, *, now: datetime
) -> JourneyRow:
    """Whoever is known by name belongs to the group they are in. Whoever is not may well be somebody whose cohort is
    on: the merge will tell.
    """
    external_userid = await identities.external_of(tx, visitor_id)
    known = external_userid is not None or checkin.start == "rolling"
    on = first_day(checkin.start, event.at) if known else monday_of(event.at)
    groups = await roster.groups_of(tx, external_userid) if external_userid and not event.chat_id else []
    chat_id = next((group.chat_id for group, _ in groups if is_for(checkin, group, book)), event.chat_id)
    return await begin(tx, checkin, visitor_id, chat_id=chat_id, at=event.at, started_on=on, now=now)


# --- deeds ------------------------------------------------------------------------------------------------------------


async def _do(tx: Tx, standing: Standing, event: Deed, *, now: datetime) -> None:
    """Write it down, unless it is there already. Raises _No."""
    on: date
    kind: DayKind | None
    match event:
        case CheckedIn():
            on, kind = _to_check_in(standing, event)
        case MadeUp():
            on, kind = _to_make_up(standing, event)
        case LeaveTaken():
            on, kind = _to_take_leave(standing, event)
        case CheckinUndone():
            on, kind = _to_undo(standing, event), None
    number, there = standing.row.id, standing.kind_on(on)
    if there == kind:
        return  # pressed twice, or on two phones
    if there:
        await checkins.undo_day(tx, number, on, now=now)
    if isinstance(event, CheckedIn | MadeUp):
        more = {"evidence": event.evidence[:MOST_WORDS], "answer": event.answer}
        chat_id = event.chat_id if isinstance(event, CheckedIn) else ""
        await checkins.put_day(tx, number, on, kind or "tap", by=event.by, chat_id=chat_id, at=event.at, **more)
    elif kind is not None:
        await checkins.put_day(tx, number, on, kind, by=event.by, at=event.at)
    # What follows from it is looked at when it cannot be undone any more (handlers/leading.py).
    await checkins.look_at(tx, number, at=event.at + standing.checkin.undo_within)


def _to_check_in(standing: Standing, event: CheckedIn) -> tuple[date, DayKind]:
    on = event.on or _which_day(standing, event.at)
    there = standing.kind_on(on)
    if there in ("tap", "make_up"):
        return on, there  # type: ignore[return-value]  # one of the two
    if on not in open_days(standing.checkin, event.at) or not _is_within(standing, on):
        raise _No(SHUT)
    _must_have(standing.theme_on(on), event)
    return on, "tap"  # in place of leave: they are there after all, and have it back


def _which_day(standing: Standing, at: datetime) -> date:
    """The day that a press is for where none is named: of two open ones the older that is not done, else today."""
    row = standing.row
    if date_of(at) < row.started_on:
        raise _No(f"{say_day(row.started_on)}开始，到时候再来")
    mine = [each for each in open_days(standing.checkin, at) if _is_within(standing, each)]
    left = [each for each in mine if row.number_of(each) in standing.state.open]
    if not mine:
        raise _No(OVER)
    return left[0] if left else mine[-1]


def _is_within(standing: Standing, on: date) -> bool:
    return 1 <= standing.row.number_of(on) <= standing.state.last


def _must_have(day: JourneyDay, event: CheckedIn | MadeUp) -> None:
    """What the day asks for; of staff, who do it for somebody, nothing."""
    if not event.by and (lacks := day.lacks(event.evidence, event.answer)):
        raise _No(lacks)


def _to_make_up(standing: Standing, event: MadeUp) -> tuple[date, DayKind]:
    if standing.kind_on(event.on) == "make_up":
        return event.on, "make_up"
    if not standing.state.cards_left:
        raise _No(NO_CARD)
    if standing.row.number_of(event.on) not in standing.state.can_make_up:
        raise _No(NOT_MISSED)
    _must_have(standing.theme_on(event.on), event)
    return event.on, "make_up"


def _to_take_leave(standing: Standing, event: LeaveTaken) -> tuple[date, DayKind]:
    there = standing.kind_on(event.on)
    if there == "leave":
        return event.on, "leave"
    if there:
        raise _No(NOT_FREE)
    if not standing.state.leave_left:
        raise _No(NO_LEAVE)
    if event.on < min(open_days(standing.checkin, event.at)) or not _is_within(standing, event.on):
        raise _No(SHUT)
    return event.on, "leave"


def _to_undo(standing: Standing, event: CheckinUndone) -> date:
    there = standing.days.get(event.on)
    if there is None:
        raise _No(NOTHING)
    if event.at - there.at > standing.checkin.undo_within:
        raise _No(TOO_LATE)
    return event.on


# --- in a group -------------------------------------------------------------------------------------------------------


async def said_in_group(tx: Tx, book: Book, group: GroupRow, event: MessagePosted, *, now: datetime) -> None:
    """A customer said the word for it in a group: that is worked on like a press on the page, as of when they wrote.
    Whoever says it twice has checked in once; within the grace after midnight, for both days.
    """
    for checkin in book.checkins:
        words = _after_keyword(checkin, event.text)
        if words is None or not is_for(checkin, group, book):
            continue
        proof = Proof(kind="external_userid", value=event.sender, evidence="roster")
        visitor = await identity.visitor_of(tx, [proof], now=now)
        deed = CheckedIn(
            at=event.at,
            checkin=checkin.name,
            visitor_id=visitor.visitor_id,
            evidence=words,
            chat_id=group.chat_id,
        )
        await inbox.put(
            tx,
            source="ingest",
            key=f"said:{checkin.name}:{event.msgid}",
            event=deed,
            lane=NORMAL,
            ordering_key=f"person:{event.sender}",
            due_at=now,
            now=now,
        )
        return


def _after_keyword(checkin: Checkin, text: str) -> str | None:
    """What follows the word, where the message begins with it and it stands by itself; else None."""
    said = text.strip()
    for word in checkin.keyword:
        rest = said.removeprefix(word)
        if rest != said and (not rest or not rest[0].isalnum()):
            return rest.strip(" \t\n,，。.!！:：、～~")
    return None
