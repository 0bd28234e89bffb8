"""Journeys: they begin when somebody joins a group of a check-in, or checks in for the first time, and go on wherever
they were. Coming back, a second group, a new phone: the same journey.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import cast

from handlers import identity
from handlers.verdicts import Stay
from rules.book import Book
from rules.checkin_days import first_day
from rules.checkin_promise import as_promised, promise_of
from rules.checkins import Checkin
from rules.decision import Decision, Verdict
from rules.events import JourneyAsked, JourneyStarted, OptedOut
from rules.identity import Proof, is_other_company
from rules.lanes import NORMAL
from rules.posts import named
from rules.streak import Kind, ends_at
from store import checkins, identities, inbox, roster
from store.checkins import DayRow, JourneyRow
from store.database import Database, Tx
from store.roster import GroupRow, MemberRow
from wecom import lookups
from wecom.errors import PlatformError
from wecom.gateway import Gateway

LEFT = "自己退出了"
NEW_FOR = timedelta(days=3)
"""How long after they joined somebody still begins: the bot may have been down."""
OVER = "这一期已经结束了"


@dataclass(frozen=True)
class Seen:
    """`tags`: of the one it is about, where somebody's tags keep them out."""

    tags: tuple[str, ...] = ()


# --- who comes --------------------------------------------------------------------------------------------------------


async def people_came(tx: Tx, book: Book, group: GroupRow, rows: Sequence[MemberRow], *, now: datetime) -> None:
    """The group was read, and these are news. Whoever joined while we watched begins what is meant for this group: on
    the day we learn of it, for a day that we slept through is nobody's fault.
    """
    new = [row for row in rows if row.left_at is None and _is_new(group, row, now)]
    mine = [checkin for checkin in book.checkins if is_for(checkin, group, book)] if new else []
    for row in new if mine else ():
        who, joined = row.external_userid, (row.joined_at or row.seen_at).isoformat()
        for checkin in mine:
            await inbox.put(
                tx,
                source="timer",
                key=f"journey:{checkin.name}:{group.chat_id}:{who}:{joined}",
                event=JourneyAsked(
                    at=now,
                    chat_id=group.chat_id,
                    checkin=checkin.name,
                    external_userid=who,
                    not_tags=checkin.exclude_tags,
                ),
                lane=NORMAL,
                ordering_key=f"person:{who}",
                due_at=now,
                now=now,
            )


def _is_new(group: GroupRow, row: MemberRow, now: datetime) -> bool:
    """Of whom more became known long after they came, the same read says so: they do not begin now."""
    came = row.joined_at or row.seen_at
    return now - came < NEW_FOR and not is_other_company(row.external_userid) and not Stay(group, row).began_before_us


def is_for(checkin: Checkin, group: GroupRow, book: Book) -> bool:
    """Whether whoever joins this group begins this check-in."""
    return not checkin.pause and named(group.facts(), checkin.to, book)


async def look_up(event: JourneyAsked | OptedOut, wecom: Gateway, store: Database, now: datetime) -> Seen:
    """Ask for their tags, where some are left out."""
    if isinstance(event, OptedOut) or not event.not_tags:
        return Seen()
    return Seen(await tags_of(wecom, event.external_userid))


async def tags_of(wecom: Gateway, external_userid: str) -> tuple[str, ...]:
    """The corp's tags that somebody has; none where the platform does not say."""
    try:
        contact = await lookups.read_contact(wecom, external_userid)
    except PlatformError as error:
        if error.treatment not in {"alert", "refused"}:
            raise
        return ()
    return contact.tags if contact else ()


async def handle(event: JourneyAsked | OptedOut, seen: Seen, tx: Tx, book: Book, now: datetime) -> list[Decision]:
    """Begin somebody's journey, or go on with it; or do as they wish."""
    checkin = book.checkin(event.checkin)
    if checkin is None:
        return []
    if isinstance(event, OptedOut):
        return await _as_they_wish(tx, checkin, event, now=now)
    member = await roster.member(tx, event.chat_id, event.external_userid)
    if member is None or member.left_at is not None:
        return []
    about = {"subject": event.external_userid, "chat_id": event.chat_id}
    if left_out := set(seen.tags) & set(checkin.exclude_tags):
        return [told(checkin, "miss", f"有标签「{'、'.join(sorted(left_out))}」，不参加打卡", **about)]
    proof = Proof(kind="external_userid", value=event.external_userid, evidence="roster")
    visitor = await identity.visitor_of(tx, [proof], now=now)
    row = await begin(tx, checkin, visitor.visitor_id, chat_id=event.chat_id, at=event.at, now=now)
    return [told(checkin, "hit", f"第 1 天是 {row.started_on.isoformat()}", **about)]


def told(checkin: Checkin, verdict: Verdict, because: str, *, subject: str, chat_id: str = "") -> Decision:
    return Decision(rule=f"checkin:{checkin.name}", verdict=verdict, because=because, subject=subject, chat_id=chat_id)


# --- beginning and going on -------------------------------------------------------------------------------------------


async def begin(
    tx: Tx,
    checkin: Checkin,
    visitor_id: int,
    *,
    chat_id: str,
    at: datetime,
    started_on: date | None = None,
    now: datetime,
) -> JourneyRow:
    """Somebody's journey: the one they have, taken up again if it can be, or a new one. There is only ever one: who
    dropped out and comes back too late has had theirs.
    """
    await identities.lock(tx, [visitor_id])
    row = await checkins.of_visitor(tx, checkin.name, visitor_id)
    if row is None:
        on = started_on or first_day(checkin.start, at)
        row = JourneyRow(
            visitor_id=visitor_id,
            checkin=checkin.name,
            rules=promise_of(checkin),
            began_on=on,
            started_on=on,
            chat_id=chat_id,
            began_at=now,
        )
        await checkins.add(tx, row)
        await _raise_started(tx, row, again=False, now=now)
    else:
        row.chat_id = chat_id or row.chat_id
        if row.state == "dropped":
            await go_on(tx, checkin, row, now=now)
    await tx.flush()
    return row


async def go_on(tx: Tx, checkin: Checkin, row: JourneyRow, *, now: datetime) -> bool:
    """Take up a journey that somebody had left, if there is still time. False: it is over."""
    days = kinds_of(await checkins.days_of(tx, row.id))
    if now >= ends_at(as_promised(checkin, row.rules), row.started_on, days):
        return False
    row.state, row.because, row.ended_at = "going", "", None
    await _raise_started(tx, row, again=True, now=now)
    return True


async def _raise_started(tx: Tx, row: JourneyRow, *, again: bool, now: datetime) -> None:
    await inbox.put(
        tx,
        source="timer",
        key=f"journey-started:{row.id}:{now.isoformat()}",
        event=JourneyStarted(at=now, journey_id=row.id, again=again),
        lane=NORMAL,
        ordering_key=f"journey:{row.id}",
        due_at=now,
        now=now,
    )


def kinds_of(rows: Iterable[DayRow]) -> Mapping[date, Kind]:
    """What rules/streak.py looks at."""
    return {row.on: cast("Kind", row.kind) for row in rows}


# --- wishes -----------------------------------------------------------------------------------------------------------


async def _as_they_wish(tx: Tx, checkin: Checkin, event: OptedOut, *, now: datetime) -> list[Decision]:
    """No reminders, reminders again, out of it altogether, or back in."""
    await identities.lock(tx, [event.visitor_id])
    row = await checkins.of_visitor(tx, checkin.name, event.visitor_id)
    if row is None:
        return []
    because = ""
    match event.wish:
        case "no_reminders" | "reminders":
            row.no_reminders = event.wish == "no_reminders"
            row.next_at = now if row.state == "going" else row.next_at
        case "leave" if row.state == "going":
            row.state, row.because, row.ended_at, row.next_at = "opted_out", LEFT, now, None
        case "return" if row.state in ("opted_out", "dropped"):
            because = "" if await go_on(tx, checkin, row, now=now) else OVER
        case _:
            pass
    await tx.flush()
    subject = await identities.external_of(tx, event.visitor_id) or f"v{event.visitor_id}"
    return [told(checkin, "miss" if because else "hit", because or _WISHES[event.wish], subject=subject)]


_WISHES = {
    "no_reminders": "不要打卡提醒",
    "reminders": "又要打卡提醒了",
    "leave": "退出了打卡",
    "return": "回来接着打卡",
}
