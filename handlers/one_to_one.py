"""A warning that somebody can be told 1:1: a 企业群发 to them alone, in the name of a colleague who has added them.

WeCom's 群发助手 rings with the words ready; one press sends them. Where the colleague does not, the group's owner hears
of it and says it in the group.
"""

from datetime import datetime, timedelta

from handlers import sends as send_handler
from rules.warning import say_friend_words, say_title
from store import people, roster, sends, staff
from store.database import Tx
from store.removal import CaseRow
from store.roster import GroupRow
from store.sends import SendRow

TAKES = timedelta(hours=24)
"""How long the colleague has: after a day a warning has little to do with what it is about."""

WARNING = "warning"


async def hand_over(tx: Tx, group: GroupRow, case: CaseRow, *, now: datetime) -> str:
    """Have the person told by a colleague who has added them. The colleague's name; "" where there is none.

    Those who are in the group go first, its owner before all.
    """
    known = await people.known(tx, [case.external_userid])
    followers = known[case.external_userid].followers if case.external_userid in known else []
    if not followers:
        return ""
    sender = min(followers, key=lambda userid: (userid != group.owner, userid not in group.staff, userid))
    member = await roster.seen_as(tx, case.chat_id, case.external_userid)
    words = next((reason.words for reason in case.why() if reason.words), "")
    row = SendRow(
        key=_about(case),
        about=_about(case),
        chat_type="single",
        sender=sender,
        targets=[case.external_userid],
        title=say_title(member.name if member else ""),
        text=say_friend_words(group.name, words),
        say_at=now,
        until=now + TAKES,
    )
    if await send_handler.begin(tx, row, now=now) is None:
        return ""  # it was tried once already
    return (await staff.names(tx, [sender]))[sender]


async def take_back(tx: Tx, case: CaseRow, *, now: datetime) -> None:
    """The person need not be told any more."""
    row = await sends.by_key(tx, _about(case))
    if row is not None:
        await send_handler.cancel(tx, row, "不用再提醒了", now=now)


def _about(case: CaseRow) -> str:
    return f"{WARNING}:{case.number}"
