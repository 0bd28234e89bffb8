"""What happened lately, as far as it is on record: what a rehearsal goes through again. Reads only, locks nothing."""

from datetime import datetime

from sqlalchemy import or_, select
from sqlmodel import col
from sqlmodel import select as select_rows

from rules.events import MessagePosted
from store import inbox
from store.columns import table_of
from store.database import Tx
from store.inbox import Inbox
from store.roster import GroupRow, MemberRow


async def groups(tx: Tx) -> dict[str, GroupRow]:
    """Every group, dismissed ones too, by chat_id."""
    return {row.chat_id: row for row in (await tx.exec(select_rows(GroupRow))).all()}


async def stays(tx: Tx, *, since: datetime, until: datetime) -> list[MemberRow]:
    """Who came, was first seen, or left in this time."""
    times = (MemberRow.joined_at, MemberRow.seen_at, MemberRow.left_at)
    query = select_rows(MemberRow).where(or_(*(col(each).between(since, until) for each in times)))
    return list((await tx.exec(query.order_by(MemberRow.chat_id, MemberRow.external_userid))).all())


async def member_of(tx: Tx, who: set[tuple[str, str]]) -> dict[tuple[str, str], MemberRow]:
    """The rows of these people, (chat_id, external_userid), whether still there or not."""
    found = {key: await tx.get(MemberRow, key) for key in sorted(who)}
    return {key: row for key, row in found.items() if row is not None}


async def messages(tx: Tx, *, since: datetime, until: datetime) -> list[MessagePosted]:
    """What people wrote in this time, in the order of when they sent it: as much of it as is not forgotten."""
    core = table_of(Inbox).c
    arrived = select(core.payload).where(core.source == "ingest", core.received_at >= since, core.payload != "")
    payloads = (await (await tx.connection()).execute(arrived.order_by(core.id))).scalars()
    events = (inbox.event_from(payload) for payload in payloads)
    written = (each for each in events if isinstance(each, MessagePosted) and since <= each.at <= until)
    return sorted(written, key=lambda each: each.at)
