"""Somebody came by a code that one customer was shown: are they that customer? The platform may tell their openid."""

from dataclasses import dataclass
from datetime import datetime

from handlers import identity
from handlers.seats import guests, stranger, take, twice, undecided
from rules.book import Book
from rules.decision import Decision
from rules.events import JoinerSeen
from store import identities, openids, roster, seats
from store import rooms as room_rows
from store.database import Database, Tx
from wecom import lookups
from wecom.errors import PlatformError
from wecom.gateway import Gateway


@dataclass(frozen=True)
class Seen:
    """`openid`: what the platform calls the joiner towards our pages; "" where it does not tell. `appid`: whose.

    `asked`: the platform was asked just now, and said this, or refused with `errcode`.
    """

    openid: str = ""
    appid: str = ""
    asked: bool = False
    errcode: int = 0


async def look_up(event: JoinerSeen, wecom: Gateway, store: Database, now: datetime) -> Seen:
    """The joiner's openid: what is known from the rounds (handlers/openids.py), else it is asked for, once."""
    if not event.external_userid.startswith("wm"):
        return Seen()
    async with store.read() as tx:
        known = await openids.known(tx, event.external_userid)
    if known is not None and (known.openid or known.asked_at > now - openids.ASK_AGAIN):
        return Seen(known.openid, wecom.corp_id)
    try:
        openid = await lookups.convert_to_openid(wecom, event.external_userid)
    except PlatformError as error:
        if error.treatment == "retry":
            raise
        return Seen(appid=wecom.corp_id, asked=error.treatment == "refused", errcode=error.errcode)
    return Seen(openid, wecom.corp_id, asked=True)


async def handle(event: JoinerSeen, seen: Seen, tx: Tx, book: Book, now: datetime) -> list[Decision]:
    """A joiner is the holder or not."""
    who = event.external_userid
    if seen.asked:
        await openids.note(tx, who, openid=seen.openid, errcode=seen.errcode, now=now)
    if seen.openid:
        await identity.openid_told(tx, who, seen.openid, corp_id=seen.appid, now=now)
    seat = await seats.seat(tx, event.seat_id)
    group, room = await roster.group(tx, event.chat_id), await room_rows.of_group(tx, event.chat_id)
    member = await roster.member(tx, event.chat_id, who)
    gone = member is None or member.left_at is not None
    if seat is None or group is None or room is None or member is None or gone:
        return []
    if seat.room_key is None or seat.state == "taken":
        return []
    theirs = await identities.openid_of(tx, seat.visitor_id, seen.appid) if seen.openid else None
    if theirs is not None and theirs != seen.openid:
        await stranger(tx, book, group, member, now=now)
        return []
    present = {each: row for each, row in (await roster.present(tx, event.chat_id)).items() if row.detailed}
    maybe = await undecided(tx, seat, present)
    inferred = await identities.external_of(tx, seat.visitor_id)
    if theirs is None and (len(maybe) > 1 or inferred not in (None, who)):
        await twice(tx, book, group, room, seat, maybe, now=now)
        return []
    await take(tx, book, group, room, seat, who=who, bound="openid" if theirs else "state", now=now)
    await guests(tx, book, group, room, seat, present, now=now)
    return []
