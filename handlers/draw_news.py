"""What groups and staff are told of a draw: that it has begun, and who has won. At most two sends to a group.

They count among the sends that a group may get, like posts do. A group that can get no more hears it along with a post
of the same day, where there is one; else its owner sends it by hand. Nothing is said twice, and nothing is lost: what
waits for a post is a send by hand that begins when the post should have been out.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from handlers import asking, by_hand, matters
from handlers.draw_facts import settings_of
from handlers.post_budget import share_notice
from rules.actions import CardLine, Link, SendNotice
from rules.book import Book
from rules.content import Attachment, Content
from rules.draw_rules import masked
from rules.draw_words import say_card, say_drawn, say_not_sent, say_opened, say_to_staff
from rules.draws import Draw
from store import draw_entrants, draw_winners, draws, posts, roster
from store import sends as send_rows
from store.database import Tx
from store.draws import DrawRow
from store.sends import MOST_TARGETS, SendRow

TO_SEND = timedelta(hours=3)
"""How long an owner has to confirm."""

FOR_THE_POST = timedelta(minutes=30)
"""How long after its time a post that was to say it along may come."""


async def begun(tx: Tx, book: Book, row: DrawRow, draw: Draw, *, now: datetime) -> None:
    """People can enter from now on; of a draw that nobody has to enter, the rules are published."""
    await _post(tx, book, row, draw, "begun", say_opened(draw, row.close_at, row.draw_at), now=now)


async def drawn(tx: Tx, book: Book, row: DrawRow, draw: Draw, *, now: datetime) -> None:
    """There are winners: the groups are told, with masked names; managers and the groups' owners get a card that opens
    the whole list.
    """
    winners = [each for each in await draw_winners.of_draw(tx, row.id) if each.state in draw_winners.LIVE]
    names = await draw_entrants.names_of(tx, [each.external_userid for each in winners if each.external_userid])
    called = [names.get(each.external_userid or "", "") for each in winners]
    until = max((each.claim_until for each in winners if each.claim_until), default=None)
    await _post(tx, book, row, draw, "drawn", say_drawn(draw, [masked(name) for name in called], until), now=now)
    notice = say_to_staff(draw, called, row.entrants, until)
    for userid in await who_may_see(tx, book, row):
        card = SendNotice(
            to=(userid,),
            title=notice.title,
            description=notice.text,
            lines=tuple(CardLine(label=label, value=value) for label, value in notice.facts),
            link=Link(page="winners", userid=userid, issued_at=now, post_id=row.id),
            open_words="看中奖名单",
        )
        await asking.post(tx, card, f"{row.purse}:drawn:{userid}", about=row.purse, now=now)


async def who_may_see(tx: Tx, book: Book, row: DrawRow) -> list[str]:
    """Who may see the winners' names: the managers, and whoever owns one of its groups."""
    wanted = set(row.chat_ids)
    owners = sorted({group.owner for group in await roster.groups(tx) if group.chat_id in wanted and group.owner})
    return list(dict.fromkeys([*await asking.managers(tx, book), *owners]))


# --- to the groups ----------------------------------------------------------------------------------------------------


async def _post(tx: Tx, book: Book, row: DrawRow, draw: Draw, what: str, text: str, *, now: datetime) -> None:
    """One send for each owner and way; what waits for a post of today, one for each group."""
    house = await draws.house(tx)
    if house is None or not draw.announce:
        return
    title, description = say_card(draw)
    card = Attachment(kind="link", url=f"{house.address}/d/{row.name}", title=title, description=description)
    content, wanted = Content(text=text, attachments=(card,)), set(row.chat_ids)
    in_sight = [group for group in await roster.groups(tx) if group.owner and group.out_of_sight_at is None]
    groups = [group for group in in_sight if group.chat_id in wanted]
    verdicts = await share_notice(tx, book, groups, draw.title, content, now=now)
    batches = dict[tuple[str, str, str], list[str]]()
    for group in groups:
        verdict = verdicts[group.chat_id]
        via, host = ("task" if verdict.way == "task" else "hand"), verdict.into if verdict.way == "merge" else ""
        batches.setdefault((group.owner, via, host), []).append(group.chat_id)
    hosts = await posts.of_keys(tx, [host for _, _, host in batches if host])
    for (owner, via, host), chat_ids in sorted(batches.items()):
        most, waits = (1, FOR_THE_POST) if host else (MOST_TARGETS, timedelta(0))
        begins = max(now, hosts[host].say_at if host in hosts else now) + waits
        for first in range(0, len(chat_ids), most):
            batch = Batch(owner, via, chat_ids[first : first + most], host)
            key = f"{row.purse}:{what}:{owner}:{via}:{batch.chat_ids[0] if host else first}"
            await send_rows.add(tx, _send(row, draw, content, batch, key, at=begins, now=now))


class Batch(NamedTuple):
    """What one owner is to send, and to which groups. `host`: the post that may say it along."""

    owner: str
    via: str
    chat_ids: Sequence[str]
    host: str = ""


def _send(
    row: DrawRow, draw: Draw, content: Content, batch: Batch, key: str, *, at: datetime, now: datetime
) -> SendRow:
    return SendRow(
        key=key,
        about=row.purse,
        via=batch.via,
        sender=batch.owner,
        targets=list(batch.chat_ids),
        title=draw.title,
        text=content.text,
        attachments=[each.model_dump(exclude_defaults=True) for each in content.attachments],
        say_at=now,
        until=at + TO_SEND,
        rides_on=batch.host,
        due_at=at,
    )


async def send_over(tx: Tx, book: Book, draw_id: int, send: SendRow, *, now: datetime) -> None:
    """A send about a draw has ended: what it could not do is done by hand, while there is time, and managers hear of
    what the platform would not have.
    """
    row = await draws.draw(tx, draw_id)
    if row is None or send.via != "task":
        return
    draw = settings_of(row)
    lost = ("capped", "failed") if send.state != "cancelled" else ()
    left = [target for target, each in (await send_rows.results(tx, send.id)).items() if each.got in lost]
    if left and now < send.until:
        content = Content(text=send.text, attachments=tuple(by_hand.attachments_of(send)))
        batch = Batch(send.sender, "hand", left)
        await send_rows.add(tx, _send(row, draw, content, batch, f"{send.key}:hand", at=now, now=now))
    if send.state == "failed":
        title, text = say_not_sent(draw, len(send.targets), send.why)
        await matters.raise_one(
            tx, book, f"draw-unsent:{send.id}", audience="managers", title=title, text=text, now=now
        )
