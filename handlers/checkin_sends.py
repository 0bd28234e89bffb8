"""What a check-in has colleagues say 1:1: one 企业群发 a colleague and day, however many people it is for.

People are added to it for some minutes, while nothing is ordered yet; whoever comes after that is in another one.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from handlers import sends as send_handler
from rules.checkins import Checkin
from rules.content import Attachment
from rules.leading import asleep_at, next_waking
from store import people, roster, sends
from store.database import Tx
from store.sends import SendRow

COLLECTED_FOR = timedelta(minutes=5)
AT_LEAST = timedelta(minutes=30)
"""How much of the waking hours has to be left: a colleague needs some time to press."""

AT_ONCE = 1000


async def sender_for(tx: Tx, external_userid: str | None, chat_id: str) -> str:
    """A colleague who has added this person: the group's owner before all, then who is in the group. "": nobody."""
    if not external_userid:
        return ""
    known = await people.known(tx, [external_userid])
    followers = known[external_userid].followers if external_userid in known else []
    group = await roster.group(tx, chat_id) if chat_id else None
    owner, staff = (group.owner, group.staff) if group else ("", [])
    return min(followers, key=lambda userid: (userid != owner, userid not in staff, userid), default="")


async def say(
    tx: Tx,
    checkin: Checkin,
    what: str,
    *,
    sender: str,
    to: str,
    on: date,
    title: str,
    text: str,
    cards: Sequence[Attachment],
    now: datetime,
) -> str:
    """Have this person told, in waking hours. `what`: names the words: equal ones go together. The key of the send."""
    about = f"{what}:{checkin.name}:{on.isoformat()}"
    for number in range(1, AT_ONCE):
        key = f"{about}:{sender}:{number}"
        row = await sends.by_key(tx, key)
        if row is None:
            at = next_waking(checkin, now + COLLECTED_FOR, leave=AT_LEAST)
            new = SendRow(
                key=key,
                about=about,
                chat_type="single",
                sender=sender,
                targets=[to],
                title=title,
                text=text,
                attachments=[each.model_dump(exclude_defaults=True) for each in cards],
                say_at=at,
                until=asleep_at(checkin, at),
            )
            await send_handler.begin(tx, new, now=at)
            return key
        if to in row.targets:
            return key
        if row.state == "new" and row.looks == 0 and len(row.targets) < AT_ONCE:
            await sends.add_target(tx, row, to)
            return key
    raise ValueError(f"{sender} has had {AT_ONCE} sends about {about}")
