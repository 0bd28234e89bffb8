"""What groups and staff are told of a draw: that it has begun, and who has won. At most two sends to a group.

They count among the sends that a group may get, like posts do; a group that can get none gets it by hand.
"""

from collections.abc import Sequence
from datetime import datetime, time, timedelta

from handlers import asking, sends
from rules.book import Book
from rules.content import Attachment
from rules.draw_rules import masked
from rules.draw_words import say_card, say_drawn, say_opened, say_to_staff
from rules.draws import Draw
from rules.schedule import moment_of
from rules.sends import allowance, day_of, period_of
from store import draw_entrants, draw_winners, draws, own_sends, roster
from store import sends as send_rows
from store.database import Tx
from store.draws import DrawRow
from store.roster import GroupRow
from store.sends import MOST_TARGETS, SendRow

TO_SEND = timedelta(hours=3)
"""How long an owner has to confirm."""


async def begun(tx: Tx, book: Book, row: DrawRow, draw: Draw, *, now: datetime) -> None:
    """People can enter from now on; of a draw that nobody has to enter, the rules are published."""
    await _post(tx, book, row, draw, "begun", say_opened(draw, row.close_at, row.draw_at), now=now)


async def drawn(tx: Tx, book: Book, row: DrawRow, draw: Draw, *, now: datetime) -> None:
    """There are winners: the groups are told, with masked names, and the managers with full ones."""
    winners = [each for each in await draw_winners.of_draw(tx, row.id) if each.state in draw_winners.LIVE]
    names = await draw_entrants.names_of(tx, [each.external_userid for each in winners if each.external_userid])
    called = [names.get(each.external_userid or "", "") for each in winners]
    until = max((each.claim_until for each in winners if each.claim_until), default=None)
    await _post(tx, book, row, draw, "drawn", say_drawn(draw, [masked(name) for name in called], until), now=now)
    lines = [
        (name or "还不知道是谁", draw.prize[each.prize].name or draw.prize[each.prize].what or "红包", each.amount)
        for name, each in zip(called, winners, strict=True)
    ]
    text = say_to_staff(draw, row.name, lines, row.entrants)
    await asking.tell(tx, await asking.managers(tx, book), text, f"{row.purse}:drawn", now=now)


async def _post(tx: Tx, book: Book, row: DrawRow, draw: Draw, what: str, text: str, *, now: datetime) -> None:
    """One send for each owner and way."""
    house = await draws.house(tx)
    if house is None or not draw.announce:
        return
    title, description = say_card(draw)
    card = Attachment(kind="link", url=f"{house.address}/d/{row.name}", title=title, description=description)
    wanted = set(row.chat_ids)
    groups = [group for group in await roster.groups(tx) if group.chat_id in wanted and group.owner]
    full = await _full(tx, book, [group.chat_id for group in groups], now=now)
    batches = dict[tuple[str, str], list[str]]()
    for group in groups:
        batches.setdefault((group.owner, _way(group, full)), []).append(group.chat_id)
    for (owner, via), chat_ids in sorted(batches.items()):
        for first in range(0, len(chat_ids), MOST_TARGETS):
            send = SendRow(
                key=f"{row.purse}:{what}:{owner}:{via}:{first}",
                about=row.purse,
                via=via,
                sender=owner,
                targets=chat_ids[first : first + MOST_TARGETS],
                title=draw.title,
                text=text,
                attachments=[card.model_dump(exclude_defaults=True)],
                say_at=now,
                until=now + TO_SEND,
            )
            await sends.begin(tx, send, now=now)


def _way(group: GroupRow, full: set[str]) -> str:
    return "hand" if group.chat_id in full else "task"


async def _full(tx: Tx, book: Book, chat_ids: Sequence[str], *, now: datetime) -> set[str]:
    """The groups that have had all the sends they may get in this period."""
    day = day_of(now)
    first, last = period_of(book.posting.sends, day)
    begin, end = moment_of(first, time.min), moment_of(last + timedelta(days=1), time.min)
    ours = await send_rows.counted(tx, begin, end)
    theirs = await own_sends.since(tx, begin, list(chat_ids))
    most = allowance(book.posting.sends, day)
    return {each for each in chat_ids if ours.get(each, 0) + theirs.get(each, 0) >= most}
