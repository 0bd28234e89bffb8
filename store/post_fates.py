"""What became of every group of every post: the one place where sends, their results and the groups left out meet."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, NamedTuple

from store import posts, sends
from store.database import Tx
from store.posts import PostGroupRow, PostRow
from store.sends import SendResultRow, SendRow

Fate = Literal[
    "arrived", "by_hand", "waiting", "unconfirmed", "unsent", "capped", "failed", "cancelled", "merged", "dropped",
    "unreachable", "paused",
]  # fmt: skip
"""arrived: by 企业群发. by_hand: its owner says that it is sent. unconfirmed: nobody confirmed in time. unsent: they
did, and this group was not among them. merged: said together with another post, which has a fate of its own.
"""

_FATES: Mapping[str, Fate] = {
    "arrived": "arrived",
    "waiting": "waiting",
    "expired": "unconfirmed",
    "unsent": "unsent",
    "no_friend": "unsent",
    "capped": "capped",
    "refused": "failed",
    "failed": "failed",
    "cancelled": "cancelled",
}
_BEST: tuple[Fate, ...] = ("arrived", "by_hand", "waiting")


class GroupFate(NamedTuple):
    """`owner`: the userid of whoever was asked. `why`, in Chinese, where something was not as planned. `into_key`: of
    the post that it was merged into.
    """

    chat_id: str
    fate: Fate
    owner: str = ""
    why: str = ""
    at: datetime | None = None
    into_key: str = ""


class PostFate(NamedTuple):
    """One post, and each of its groups; none where it never came so far (its `state` and `why` say it all)."""

    post: PostRow
    groups: Mapping[str, GroupFate]


async def fates(tx: Tx, since: datetime, until: datetime) -> list[PostFate]:
    """All posts with a fire in [since, until), in order. Locks nothing."""
    rows = await posts.between(tx, since, until)
    by_about: dict[str, list[SendRow]] = {}
    for send in await sends.about_some(tx, [row.about for row in rows]):
        by_about.setdefault(send.about, []).append(send)
    results: dict[int, list[SendResultRow]] = {}
    for result in await sends.results_of(tx, [send.id for some in by_about.values() for send in some]):
        results.setdefault(result.send_id, []).append(result)
    left: dict[str, list[PostGroupRow]] = {}
    for each in await posts.left_out(tx, [row.key for row in rows]):
        left.setdefault(each.post_key, []).append(each)
    return [_of_post(row, by_about.get(row.about, []), results, left.get(row.key, [])) for row in rows]


def _of_post(
    row: PostRow, its_sends: list[SendRow], results: Mapping[int, list[SendResultRow]], left: list[PostGroupRow]
) -> PostFate:
    groups: dict[str, GroupFate] = {}
    for each in left:
        groups[each.chat_id] = GroupFate(each.chat_id, each.way, why=each.why, at=each.at, into_key=each.into_key)  # type: ignore[arg-type]  # ways are fates
    for send in its_sends:
        for result in results.get(send.id, []):
            fate = _FATES[result.got]
            fate = "by_hand" if fate == "arrived" and send.via == "hand" else fate
            before = groups.get(result.target)
            if before is None or before.fate not in _BEST or fate in _BEST[:2]:
                groups[result.target] = GroupFate(result.target, fate, send.sender, send.why, result.at)
    return PostFate(row, groups)
