"""Somebody wants to take part: a name on the list of a draw, or, in a grab, a share at once.

Pages call `look_up` (no transaction), then `handle` in a writing one. Pressed twice, loaded again or done on two
phones, it is one entry. What a page shows is read by `handlers/draw_view.py`.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from handlers import prizes
from handlers.draw_facts import Tags, of_visitor, person_of, settings_of, tags_of_visitor
from rules.book import Book
from rules.decision import Decision
from rules.draw_rules import NOBODY_KNOWS, TAGS_UNKNOWN, why_not
from rules.draws import Draw
from rules.events import DrawEntered
from rules.pick import ticket_of
from store import checkins, draw_entrants, draw_winners, draws, identities, points
from store.database import Database, Tx
from store.draw_entrants import Glance
from store.draws import DrawRow
from wecom.gateway import Gateway

CLOSED, NOT_YET, WRONG, GONE = "报名已经截止了", "还没有开始", "答错了，谢谢参与", "手慢了，已经抢完了"
POINTS_KNOWN, POINTS_SHORT = "先加导购，才能用积分报名", "积分不够，要 {points} 分"
NO_ENTRY = "这个活动不用报名"
CHECK_IN_FIRST = "今天先打卡，再来报名"
A_MOMENT = timedelta(seconds=2)


@dataclass(frozen=True)
class Seen:
    """Their `tags`, where the draw asks for them. `answer`: what is settled already ("" = they take part); then there
    is nothing to write, and most of those who come too late for a share are told so without anybody having to wait.
    """

    tags: Tags = field(default_factory=dict)
    answer: str | None = None


async def look_up(event: DrawEntered, wecom: Gateway, store: Database, now: datetime) -> Seen:
    """What can be told without writing; else their tags, where the draw asks for them."""
    found = await draw_entrants.quick_glance(store, event.draw_id, event.visitor_id)
    if found is None or found.entered:
        return Seen(answer="" if found else None)
    if found.state == "open" and found.open_at <= now < found.close_at and not found.any_free:
        return Seen(answer=GONE)  # only a grab gives shares away while it is open
    async with store.read() as tx:
        row = await draws.draw(tx, event.draw_id)
    return Seen(await tags_of_visitor(wecom, store, settings_of(row), event.visitor_id)) if row else Seen()


def _settled(found: Glance, row: DrawRow, draw: Draw, now: datetime) -> str | None:
    if found.entered:
        return ""
    refused = when_not(row, draw, now)
    return refused or (GONE if draw.way_in == "grab" and not found.any_free else None)


async def handle(event: DrawEntered, seen: Seen, tx: Tx, book: Book, now: datetime) -> list[Decision]:
    """Hit: they take part, or have a share, now or already. Miss: why not, in words for them."""
    found = await draw_entrants.glance(tx, event.draw_id, event.visitor_id)
    if found is None:
        return []
    # The list is not closed while somebody writes on it.
    row = await (draws.kept_open if now < found.close_at else draws.draw)(tx, event.draw_id)
    if row is None:
        return []
    draw = settings_of(row)
    external_userid = await identities.external_of(tx, event.visitor_id)
    refused = _settled(found, row, draw, now)
    if refused is None:
        refused = await _enter(tx, row, draw, event, external_userid, seen.tags, now=now)
        if not refused and draw.quiz is not None and external_userid is not None and book.rewards.answer:
            key, why = f"answer:{row.key}:{external_userid}", f"「{draw.title}」竞猜答对"
            await points.give(tx, external_userid, book.rewards.answer, why=why, key=key, now=now)
    return [told(row, event, external_userid, refused)]


def told(row: DrawRow, event: DrawEntered, external_userid: str | None, refused: str) -> Decision:
    return Decision(
        rule=f"draw:{row.name}",
        verdict="miss" if refused else "hit",
        because=refused or "参加了抽奖",
        subject=person_of(event.visitor_id, external_userid),
    )


def when_not(row: DrawRow, draw: Draw, now: datetime) -> str:
    """Why nobody can take part at this moment; "" = they can. By the times that were published, to the second."""
    if draw.way_in in ("in_group", "all"):
        return NO_ENTRY
    if row.state in ("announced", "open") and row.open_at <= now < row.close_at:
        return ""
    return NOT_YET if row.state == "announced" and now < row.open_at else CLOSED


async def _enter(
    tx: Tx, row: DrawRow, draw: Draw, event: DrawEntered, external_userid: str | None, tags: Tags, *, now: datetime
) -> str:
    """Why not; "" where they take part."""
    if draw.quiz is not None and event.answer != draw.quiz.answer:
        return WRONG
    if draw.way_in == "checked_in" and not await checkins.checked_in_today(tx, draw.checkin, event.visitor_id, now):
        return CHECK_IN_FIRST
    facts = await of_visitor(tx, row, event.visitor_id, external_userid, tags)
    refused = why_not(draw, facts, now)
    if refused in ("", NOBODY_KNOWS):
        refused = await _pay_points(tx, row, draw, event, external_userid, now=now)
    return refused or await _put_down(tx, row, draw, event.visitor_id, external_userid, now=now)


async def by_ticket(tx: Tx, row: DrawRow, visitor_id: int, *, now: datetime) -> str:
    """Somebody has earned their way in elsewhere: no points, no question. Why not; "" where they take part, now or
    already. Who they are counts as for everybody; tags are asked for at the claim.
    """
    draw = settings_of(row)
    found = await draw_entrants.glance(tx, row.id, visitor_id)
    if now < row.close_at:
        row = await draws.kept_open(tx, row.id) or row
    if found is None or found.entered or draw.way_in == "all":
        return ""
    refused = NO_ENTRY if draw.way_in in ("in_group", "grab") else when_not(row, draw, now)
    if refused:
        return refused
    external_userid = await identities.external_of(tx, visitor_id)
    refused = why_not(draw, await of_visitor(tx, row, visitor_id, external_userid, {}), now)
    if refused not in ("", NOBODY_KNOWS, TAGS_UNKNOWN):
        return refused
    return await _put_down(tx, row, draw, visitor_id, external_userid, now=now)


async def _put_down(
    tx: Tx, row: DrawRow, draw: Draw, visitor_id: int, external_userid: str | None, *, now: datetime
) -> str:
    """On the list; in a grab, with a share."""
    person = person_of(visitor_id, external_userid)
    entry = {
        "draw_id": row.id,
        "person": person,
        "visitor_id": visitor_id,
        "external_userid": external_userid,
        "ticket": ticket_of(person, bytes.fromhex(row.salt)),
        "entered_at": now,
    }
    new = await draw_entrants.enter(tx, entry)
    return await _grab(tx, row, draw, entry, now=now) if new and draw.way_in == "grab" else ""


async def _pay_points(
    tx: Tx, row: DrawRow, draw: Draw, event: DrawEntered, external_userid: str | None, *, now: datetime
) -> str:
    """A ticket costs points: once per person and draw, and never more than they have."""
    if draw.way_in != "points":
        return ""
    if external_userid is None:
        return POINTS_KNOWN
    await identities.lock(tx, [event.visitor_id])  # two draws at once cannot both spend the same points
    if await points.balance(tx, external_userid) < draw.points:
        return POINTS_SHORT.format(points=draw.points)
    why = f"报名「{draw.title}」"
    await points.give(tx, external_userid, -draw.points, why=why, key=f"draw:{row.id}:{external_userid}", now=now)
    return ""


async def _grab(tx: Tx, row: DrawRow, draw: Draw, entry: dict[str, object], *, now: datetime) -> str:
    """The next free share is theirs; who comes too late is on no list."""
    share = await draw_winners.take_share(tx, row.id, str(entry["person"]), now=now)
    if share is None:
        await draw_entrants.forget(tx, row.id, str(entry["person"]))
        return GONE
    won = await prizes.win(tx, row, draw, share, rank=share.number, entrant=entry, now=now)
    if not won:
        await draw_winners.give_back_share(tx, row.id, share.number)
        await draw_entrants.forget(tx, row.id, str(entry["person"]))
        return why_not_again(draw)
    if share.number == draw.winners or not await draw_winners.is_any_free(tx, row.id):
        # Nobody waits for its end. Others who have just taken theirs are not seen from here yet: hence a moment later.
        await draws.hurry(tx, row.id, at=now + A_MOMENT)
    return ""


def why_not_again(draw: Draw) -> str:
    return prizes.ONCE_A_MONTH if draw.who.once_a_month else prizes.ONCE
