"""A 企业群发 is made: once, though the platform knows no idempotency key (page 92135).

Where nobody knows whether an earlier call was carried out, it is looked up: by time, text and sender, among those that
belong to no send of ours. Only when the list has had time to show it, and does not, is another one made.
"""

from datetime import datetime, timedelta

from loguru import logger

from bot.actions.action import Hands
from rules.actions import CancelSend, CreateSend
from rules.lanes import POSTS
from store import outbox, sends
from store.database import Database, Tx
from store.sends import SendRow
from wecom import commands, group_messages
from wecom.commands import Made
from wecom.errors import PlatformError
from wecom.group_messages import ListedSend

REPEATABLE = False
SHOWN_WITHIN = timedelta(minutes=2)
"""How soon the list shows what was made: no page says [NV]."""

CLOCKS_DIFFER = timedelta(minutes=10)
MEDIA_GONE = 40007


async def is_wanted(deed: CreateSend, tx: Tx) -> bool:
    row = await sends.send(tx, deed.send_id)
    return row is not None and row.state == "ordered" and row.number == deed.number


async def resolve(deed: CreateSend, since: datetime, hands: Hands, store: Database) -> Made | None:
    """What an earlier call made, if it is there. A double of it is stopped, and told."""
    listed = await group_messages.listed_sends(
        hands.wecom, deed.chat_type, since=since - CLOCKS_DIFFER, until=hands.clock.now() + CLOCKS_DIFFER
    )
    alike = [each for each in listed if _is_like(each, deed)]
    async with store.read() as tx:
        known = await sends.taken(tx, [each.msgid for each in alike])
    ours = [
        each.msgid
        for each in reversed(alike)
        if each.msgid not in known and deed.sender in await group_messages.senders(hands.wecom, each.msgid)
    ]
    for double in ours[1:]:
        logger.error("the send {} was made twice: {} is stopped", deed.send_id, double)
        await commands.cancel_send(hands.wecom, double)
    return Made(msgid=ours[0]) if ours else None


def _is_like(listed: ListedSend, deed: CreateSend) -> bool:
    kinds = tuple(each.msgtype for each in deed.attachments)
    return listed.text.strip() == deed.text.strip() and (not listed.attachments or listed.attachments == kinds)


async def carry_out(deed: CreateSend, hands: Hands) -> Made:
    return await commands.create_send(hands.wecom, deed)


async def record(deed: CreateSend, result: Made, tx: Tx, now: datetime) -> None:
    """Its sender has been rung; from now on it is followed."""
    row = await sends.send(tx, deed.send_id)
    if row is None or row.state != "ordered" or row.number != deed.number:
        logger.warning("the send {} was made too late: it is stopped", deed.send_id)
        await stop(tx, deed.send_id, result.msgid, now=now)
        if row is not None and row.msgid is None:
            row.msgid, row.due_at = result.msgid, now
        return
    row.state, row.msgid, row.made_at, row.due_at = "made", result.msgid, now, now
    found = await sends.results(tx, row.id)
    sends.settle([found[each] for each in result.failed if each in found], "refused", now=now)


async def stop(tx: Tx, send_id: int, msgid: str, *, now: datetime) -> None:
    """Have it stopped at the platform."""
    deed = CancelSend(send_id=send_id, msgid=msgid)
    await outbox.put(tx, deed, key=f"cancel-send:{msgid}", lane=POSTS, ordering_key=None, due_at=now, now=now)


async def give_up(deed: CreateSend, error: PlatformError, tx: Tx, now: datetime) -> None:
    """A picture that has gone bad is uploaded anew, once more; anything else is told."""
    row = await sends.send(tx, deed.send_id)
    if row is None or row.state != "ordered" or row.number != deed.number:
        return
    if error.errcode == MEDIA_GONE and row.number < 3:
        row.state, row.due_at = "new", now
        return
    logger.error("the send {} of {} was not made: {}", row.id, row.sender, error)
    await _failed(tx, row, error, now=now)


async def _failed(tx: Tx, row: SendRow, error: PlatformError, *, now: datetime) -> None:
    """What is for whom is told by the next look at it."""
    row.why = error.hint
    row.state, row.due_at = "failed", now
    sends.settle((await sends.results(tx, row.id)).values(), "failed", now=now)
