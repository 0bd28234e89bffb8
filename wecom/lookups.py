"""What can be asked of the platform: one typed function per endpoint. All raise PlatformError.

To add an endpoint, add its value and its function; parse inside `reading`, and a misshapen answer is a PlatformError.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import AwareDatetime

from rules.facts import Member
from rules.post_report import OwnerWeek
from rules.value import Value
from wecom.answers import moment, reading
from wecom.errors import BAD_ANSWER, GroupGone, GroupHidden, PlatformError
from wecom.gateway import Gateway
from wecom.tokens import Token


class GroupPage(Value):
    """Some of the corp's groups. `cursor` asks for the next page; "" is the end."""

    chat_ids: tuple[str, ...]
    cursor: str


class GroupChat(Value):
    """One customer group as the platform has it. `staff`: userids of our corp's members in it, the owner among them.

    `version` is opaque: equal where nobody came or went.
    """

    chat_id: str
    name: str
    owner: str
    created_at: AwareDatetime | None
    notice: str
    admins: tuple[str, ...]
    version: str
    staff: tuple[str, ...]
    members: tuple[Member, ...]


class Contact(Value):
    """Somebody whom staff have added. `corp_name` and `corp_full_name` are given for WeCom accounts only.

    `tags`: names of the corp's tags that any of our staff have given them.
    """

    external_userid: str
    account: Literal["wechat", "wecom", "unknown"]
    name: str
    corp_name: str
    corp_full_name: str
    followers: tuple[str, ...]
    tags: tuple[str, ...] = ()


class App(Value):
    """One of the corp's apps: `agent_id` is its number, `name` what the console and staff's phones call it."""

    agent_id: int
    name: str


class Login(Value):
    """Whom an OAuth code named. Our own people: `userid`. Anybody else: the corp's `openid` of them, and their
    `external_userid` where somebody of ours has added them.
    """

    userid: str = ""
    openid: str = ""
    external_userid: str = ""


# --- customer groups --------------------------------------------------------------------------------------------------


async def group_ids(gateway: Gateway, cursor: str = "", owners: Sequence[str] = ()) -> GroupPage:
    """One page of the groups whose owner the app may see (page 92120). `owners`: only theirs, at most 100."""
    path = "externalcontact/groupchat/list"
    body: dict[str, Any] = {"status_filter": 0, "cursor": cursor, "limit": 1000}
    if owners:
        body["owner_filter"] = {"userid_list": list(owners)}
    answer = await gateway.post(path, body, reads=True)
    with reading(path):
        ids = tuple(row["chat_id"] for row in answer.get("group_chat_list") or ())
        return GroupPage(chat_ids=ids, cursor=answer.get("next_cursor") or "")


async def all_group_ids(gateway: Gateway) -> tuple[str, ...]:
    """All groups, each once. Corps with more than 1,000 people in sight (81017) are asked owner by owner."""
    found: dict[str, None] = {}
    try:
        async for page in _pages(gateway, ()):
            found.update(dict.fromkeys(page.chat_ids))
    except PlatformError as error:
        if error.errcode != 81017:
            raise
    else:
        return tuple(found)
    staff = await follow_users(gateway)
    for first in range(0, len(staff), 100):
        async for page in _pages(gateway, staff[first : first + 100]):
            found.update(dict.fromkeys(page.chat_ids))
    return tuple(found)


async def _pages(gateway: Gateway, owners: Sequence[str]) -> AsyncIterator[GroupPage]:
    seen = {""}
    cursor = ""
    while True:
        page = await group_ids(gateway, cursor, owners)
        yield page
        cursor = page.cursor
        if cursor in seen:  # "" at the end; a cursor that comes back would go round for ever
            return
        seen.add(cursor)


async def read_group(gateway: Gateway, chat_id: str) -> GroupChat:
    """One group with everybody in it (page 92122).

    Raises GroupGone where there is no such customer group, GroupHidden where its owner is not in the visible range.
    """
    path = "externalcontact/groupchat/get"
    try:
        answer = await gateway.post(path, {"chat_id": chat_id, "need_name": 1}, reads=True)
    except PlatformError as error:
        if error.errcode in _GONE:
            raise GroupGone(error.errcode, path) from None
        if error.errcode in _HIDDEN:
            raise GroupHidden(error.errcode, path) from None
        raise
    with reading(path):
        group = answer["group_chat"]
        people = group["member_list"]
        return GroupChat(
            chat_id=group["chat_id"],
            name=group.get("name") or "",
            owner=group["owner"],
            created_at=moment(group.get("create_time")),
            notice=group.get("notice") or "",
            admins=tuple(admin["userid"] for admin in group.get("admin_list") or ()),
            version=group.get("member_version") or "",
            # Only type 2 is external: whoever is of no known type is not somebody to act against.
            staff=tuple(person["userid"] for person in people if person["type"] != 2),
            members=tuple(_member(person) for person in people if person["type"] == 2),
        )


# 40050, 86001: no such chatid. 90501, 90509: not a customer group. Which of them a dismissed group gives is [NV].
_GONE = {40050, 86001, 90501, 90509}

# "No privilege on this member", "no right on this member": of one group, the owner. What concerns the whole app has
# numbers of its own (48002, 60020, 84074). Which of the two groupchat/get gives is [NV].
_HIDDEN = {60011, 301002}


def _member(person: Mapping[str, Any]) -> Member:
    return Member(
        external_userid=person["userid"],
        name=person.get("name") or person.get("group_nickname") or "",
        joined_at=moment(person.get("join_time")),
        join_scene=person.get("join_scene"),
        invited_by=(person.get("invitor") or {}).get("userid"),
        state=person.get("state") or None,
        unionid=person.get("unionid") or None,
    )


# --- contacts and staff -----------------------------------------------------------------------------------------------


async def read_contact(gateway: Gateway, external_userid: str) -> Contact | None:
    """Who somebody is (page 92114). None where no staff has added them (84061): unknown, and proof of nothing."""
    path = "externalcontact/get"
    try:
        answer = await gateway.get(path, external_userid=external_userid)
    except PlatformError as error:
        if error.errcode == 84061:
            return None
        raise
    with reading(path):
        person = answer["external_contact"]
        return Contact(
            external_userid=person["external_userid"],
            account=_ACCOUNTS.get(person.get("type"), "unknown"),
            name=person.get("name") or "",
            corp_name=person.get("corp_name") or "",
            corp_full_name=person.get("corp_full_name") or "",
            followers=tuple(user["userid"] for user in answer.get("follow_user") or ()),
            tags=tuple(
                dict.fromkeys(
                    str(tag["tag_name"])
                    for user in answer.get("follow_user") or ()
                    for tag in user.get("tags") or ()
                    if tag.get("type") != 2  # a member's own tags are theirs
                )
            ),
        )


_ACCOUNTS: dict[object, Literal["wechat", "wecom"]] = {1: "wechat", 2: "wecom"}


async def follow_users(gateway: Gateway) -> tuple[str, ...]:
    """The userids of all staff with 客户联系 whom the app may see (page 92571)."""
    path = "externalcontact/get_follow_user_list"
    answer = await gateway.get(path)
    with reading(path):
        return tuple(str(userid) for userid in answer.get("follow_user") or ())


async def staff_name(gateway: Gateway, userid: str) -> str | None:
    """What a member of staff is called (page 90196). None where there is none such, or the app may not see them."""
    path = "user/get"
    try:
        answer = await gateway.get(path, userid=userid)
    except PlatformError as error:
        if error.errcode in (60011, 60111):
            return None
        raise
    with reading(path):
        return str(answer["name"])


async def own_app(gateway: Gateway) -> App | None:
    """The app that our agent id names (page 90227). None where the secret is another app's, or there is no such app.

    Which of the two numbers the platform gives is [NV]; messages under another app's agent id are refused with either.
    """
    path = "agent/get"
    try:
        answer = await gateway.get(path, agentid=gateway.agent_id)
    except PlatformError as error:
        if error.errcode in (40056, 301002):
            return None
        raise
    with reading(path):
        return App(agent_id=int(answer["agentid"]), name=answer.get("name") or "")


# --- who opens a page -------------------------------------------------------------------------------------------------


async def login(gateway: Gateway, code: str) -> Login:
    """Whom a one-shot code of the OAuth page named (page 96442). Raises PlatformError, 40029 where it is none (now)."""
    path = "auth/getuserinfo"
    answer = await gateway.get(path, code=code)
    with reading(path):
        found = Login(
            userid=str(answer.get("userid") or ""),
            openid=str(answer.get("openid") or ""),
            external_userid=str(answer.get("external_userid") or ""),
        )
    if not (found.userid or found.openid):
        raise PlatformError(BAD_ANSWER, path)
    return found


async def convert_to_openid(gateway: Gateway, external_userid: str) -> str:
    """The openid that OAuth will name this WeChat person by (page 92323). Raises PlatformError.

    Whether it is told of people who are in a group only is [NV].
    """
    path = "externalcontact/convert_to_openid"
    answer = await gateway.post(path, {"external_userid": external_userid}, reads=True)
    with reading(path):
        return str(answer["openid"])


# --- the client ------------------------------------------------------------------------------------------------------


async def agent_ticket(gateway: Gateway, asked_at: datetime) -> Token:
    """The app's jsapi_ticket, which signs what its pages may ask of the WeCom client (page 90506). Keep it."""
    path = "ticket/get"
    answer = await gateway.get(path, type="agent_config")
    with reading(path):
        seconds = int(answer["expires_in"])
        return Token(str(answer["ticket"]), asked_at + timedelta(seconds=seconds - min(300, seconds // 10)))


async def staff_sight(gateway: Gateway, userid: str) -> Literal["visible", "hidden", "gone"]:
    """Whether the app may see a member of staff (60011: not in its visible range), or there is none such (60111)."""
    try:
        await gateway.get("user/get", userid=userid)
    except PlatformError as error:
        if error.errcode in (60011, 60111):
            return "hidden" if error.errcode == 60011 else "gone"
        raise
    return "visible"


async def group_statistics(gateway: Gateway, owners: Sequence[str], first: datetime, last: datetime) -> list[OwnerWeek]:
    """How lively these owners' groups were on the days of `first` to `last`, both included (page 92133).

    At most 100 owners and 30 days, yesterday the last; kept for 180 days. An owner without groups may have no row.
    """
    path = "externalcontact/groupchat/statistic"
    body = {
        "day_begin_time": int(first.timestamp()),
        "day_end_time": int(last.timestamp()),
        "owner_filter": {"userid_list": list(owners)},
        "limit": 1000,
    }
    answer = await gateway.post(path, body, reads=True)
    with reading(path):
        return [_owner_week(row["owner"], row["data"]) for row in answer.get("items") or ()]


def _owner_week(owner: str, data: Mapping[str, Any]) -> OwnerWeek:
    return OwnerWeek(
        owner=owner,
        groups=int(data["chat_total"]),
        new_members=int(data["new_member_cnt"]),
        members=int(data["member_total"]),
        active=int(data["member_has_msg"]),
        messages=int(data["msg_total"]),
    )
