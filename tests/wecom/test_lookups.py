"""What the platform answers, as values."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from rules.facts import Member
from wecom.errors import BAD_ANSWER, GroupGone, GroupHidden, PlatformError
from wecom.lookups import (
    App,
    Contact,
    GroupChat,
    all_group_ids,
    follow_users,
    group_ids,
    own_app,
    read_contact,
    read_group,
    staff_name,
)

if TYPE_CHECKING:
    from tests.wecom.conftest import Platform
    from wecom.gateway import Gateway

LIST, GET = "externalcontact/groupchat/list", "externalcontact/groupchat/get"
CONTACT, STAFF = "externalcontact/get", "externalcontact/get_follow_user_list"


def page(*ids: str, cursor: str | None = None) -> dict[str, Any]:
    answer: dict[str, Any] = {"errcode": 0, "group_chat_list": [{"chat_id": each, "status": 0} for each in ids]}
    return answer | ({"next_cursor": cursor} if cursor is not None else {})


async def test_a_page_of_groups(gateway: "Gateway", platform: "Platform") -> None:
    """One page asks for as many as allowed, from where the last one ended."""
    platform.answers[LIST] = [page("wr1", "wr2", cursor="next")]
    got = await group_ids(gateway, "from-here", owners=("a",))
    assert (got.chat_ids, got.cursor) == (("wr1", "wr2"), "next")
    assert platform.bodies(LIST) == [
        {"status_filter": 0, "cursor": "from-here", "limit": 1000, "owner_filter": {"userid_list": ["a"]}}
    ]


async def test_all_pages_are_read(gateway: "Gateway", platform: "Platform") -> None:
    """Every group is listed once, over as many pages as there are."""
    platform.answers[LIST] = [page("wr1", "wr2", cursor="p2"), page("wr2", "wr3", cursor="")]
    assert await all_group_ids(gateway) == ("wr1", "wr2", "wr3")
    assert [body["cursor"] for body in platform.bodies(LIST)] == ["", "p2"]


async def test_a_cursor_that_comes_back_ends_the_reading(gateway: "Gateway", platform: "Platform") -> None:
    """A platform that always says "more" is not asked for ever."""
    platform.answers[LIST] = [page("wr1", cursor="same")]
    assert await all_group_ids(gateway) == ("wr1",)
    assert len(platform.bodies(LIST)) == 2


async def test_large_corps_are_read_owner_by_owner(gateway: "Gateway", platform: "Platform") -> None:
    """After 81017 all owners are asked for, at most 100 at a time, each with all their pages."""
    owners = [f"u{n}" for n in range(250)]
    platform.answers[STAFF] = [{"errcode": 0, "follow_user": owners}]
    asked: list[list[str]] = []

    def groups_of(path: str, _query: dict[str, str], body: Any) -> dict[str, Any] | None:
        if path != LIST:
            return None
        if "owner_filter" not in body:
            return {"errcode": 81017}
        if body["cursor"]:
            return page(f"more-of-{body['cursor']}")
        asked.append(body["owner_filter"]["userid_list"])
        return page(*(f"wr-{owner}" for owner in asked[-1]), cursor=asked[-1][0])

    platform.tells = groups_of
    found = await all_group_ids(gateway)
    assert [len(some) for some in asked] == [100, 100, 50]
    assert [owner for some in asked for owner in some] == owners
    assert set(found) == {f"wr-{owner}" for owner in owners} | {"more-of-u0", "more-of-u100", "more-of-u200"}


GROUP = {
    "chat_id": "wrAbc",
    "name": "新人打卡1群",
    "owner": "lihua",
    "create_time": 1572505490,
    "notice": "文明聊天",
    "member_list": [
        {"userid": "lihua", "type": 1, "join_time": 1572505491, "join_scene": 1, "name": "李华"},
        {"userid": "wangwu", "type": 1, "join_time": 1572505491, "join_scene": 1},
        {
            "userid": "wmFull",
            "type": 2,
            "unionid": "oUnion",
            "join_time": 1572505492,
            "join_scene": 3,
            "state": "door-1",
            "invitor": {"userid": "lihua"},
            "group_nickname": "小红",
            "name": "红红",
        },
        {"userid": "wmBare", "type": 2, "group_nickname": "小蓝"},
        {"userid": "woEmpty", "type": 2, "unionid": "", "state": "", "join_time": 0, "invitor": None, "name": ""},
        {"userid": "weird", "type": 9},
    ],
    "admin_list": [{"userid": "wangwu"}],
    "member_version": "71217227bbd112ecfe3a49c482195cb4",
}


async def test_a_group_with_everybody_in_it(gateway: "Gateway", platform: "Platform") -> None:
    """Staff and outsiders are told apart, and somebody of no known type is never an outsider to act against."""
    platform.answers[GET] = [{"errcode": 0, "group_chat": GROUP}]
    assert await read_group(gateway, "wrAbc") == GroupChat(
        chat_id="wrAbc",
        name="新人打卡1群",
        owner="lihua",
        created_at=datetime(2019, 10, 31, 7, 4, 50, tzinfo=UTC),
        notice="文明聊天",
        admins=("wangwu",),
        version="71217227bbd112ecfe3a49c482195cb4",
        staff=("lihua", "wangwu", "weird"),
        members=(
            Member(
                external_userid="wmFull",
                name="红红",
                joined_at=datetime(2019, 10, 31, 7, 4, 52, tzinfo=UTC),
                join_scene=3,
                invited_by="lihua",
                state="door-1",
                unionid="oUnion",
            ),
            Member(external_userid="wmBare", name="小蓝"),
            Member(external_userid="woEmpty"),
        ),
    )
    assert platform.bodies(GET) == [{"chat_id": "wrAbc", "need_name": 1}]


async def test_a_new_group_may_lack_almost_everything(gateway: "Gateway", platform: "Platform") -> None:
    """A group without name, notice, admins or version is read all the same."""
    platform.answers[GET] = [{"group_chat": {"chat_id": "wr1", "owner": "a", "member_list": []}}]
    group = await read_group(gateway, "wr1")
    assert (group.name, group.notice, group.admins, group.version, group.created_at) == ("", "", (), "", None)


@pytest.mark.parametrize("errcode", [40050, 86001, 90501, 90509])
async def test_a_dismissed_group_is_gone(gateway: "Gateway", platform: "Platform", errcode: int) -> None:
    """That there is no such group is an error of its own type."""
    platform.answers[GET] = [{"errcode": errcode}]
    with pytest.raises(GroupGone) as gone:
        await read_group(gateway, "wr1")
    assert (gone.value.errcode, gone.value.treatment) == (errcode, "refused")


@pytest.mark.parametrize("errcode", [60011, 301002])
async def test_a_group_whose_owner_cannot_be_seen_is_hidden(
    gateway: "Gateway", platform: "Platform", errcode: int
) -> None:
    """Nothing is said of the group itself: that is neither gone nor a fault to try again."""
    platform.answers[GET] = [{"errcode": errcode}]
    with pytest.raises(GroupHidden):
        await read_group(gateway, "wr1")


@pytest.mark.parametrize("errcode", [48002, 60020, 84074])
async def test_what_the_whole_app_may_not_do_hides_no_group(
    gateway: "Gateway", platform: "Platform", errcode: int
) -> None:
    """A missing permission or IP concerns all groups at once: somebody has to mend it, and no group is out of sight."""
    platform.answers[GET] = [{"errcode": errcode}]
    with pytest.raises(PlatformError) as error:
        await read_group(gateway, "wr1")
    assert not isinstance(error.value, GroupHidden)


async def test_other_errors_do_not_make_a_group_gone(gateway: "Gateway", platform: "Platform") -> None:
    """A busy platform does not dismiss a group."""
    platform.answers[GET] = [{"errcode": -1}]
    with pytest.raises(PlatformError) as error:
        await read_group(gateway, "wr1")
    assert not isinstance(error.value, GroupGone)


def person(**more: Any) -> dict[str, Any]:
    return {"errcode": 0, "external_contact": {"external_userid": "woAbc", "name": "赵", **more}}


async def test_a_contact_at_another_company(gateway: "Gateway", platform: "Platform") -> None:
    """A WeCom user comes with company and with those of our staff who know them."""
    platform.answers[CONTACT] = [
        person(type=2, corp_name="腾讯", corp_full_name="腾讯科技")
        | {"follow_user": [{"userid": "lihua", "remark": "…"}, {"userid": "wangwu"}]}
    ]
    assert await read_contact(gateway, "woAbc") == Contact(
        external_userid="woAbc",
        account="wecom",
        name="赵",
        corp_name="腾讯",
        corp_full_name="腾讯科技",
        followers=("lihua", "wangwu"),
    )
    assert platform.asked[-1] == (CONTACT, {"external_userid": "woAbc", "access_token": "TOKEN-1"}, None)


@pytest.mark.parametrize(("kind", "account"), [(1, "wechat"), (2, "wecom"), (3, "unknown"), (None, "unknown")])
async def test_accounts(gateway: "Gateway", platform: "Platform", kind: int | None, account: str) -> None:
    """1 is WeChat, 2 is WeCom, and anything else is unknown."""
    platform.answers[CONTACT] = [person(type=kind)]
    contact = await read_contact(gateway, "woAbc")
    assert contact is not None
    assert contact.account == account


async def test_not_a_contact_is_unknown_and_no_error(gateway: "Gateway", platform: "Platform") -> None:
    """84061 says only that nobody has added them; every other error remains one."""
    platform.answers[CONTACT] = [{"errcode": 84061}, {"errcode": 40096}]
    assert await read_contact(gateway, "wmAbc") is None
    with pytest.raises(PlatformError):
        await read_contact(gateway, "wmAbc")


async def test_staff_who_serve_customers(gateway: "Gateway", platform: "Platform") -> None:
    """All of them, in the platform's order."""
    platform.answers[STAFF] = [{"errcode": 0, "follow_user": ["zhangsan", "lissi"]}]
    assert await follow_users(gateway) == ("zhangsan", "lissi")


async def test_names_of_staff(gateway: "Gateway", platform: "Platform") -> None:
    """Somebody who left, or whom the app may not see, has no name; that is no error."""
    platform.answers["user/get"] = [
        {"errcode": 0, "name": "王五"},
        {"errcode": 60111},
        {"errcode": 60011},
        {"errcode": -1},
    ]
    assert [await staff_name(gateway, "wangwu") for _ in range(3)] == ["王五", None, None]
    with pytest.raises(PlatformError):
        await staff_name(gateway, "wangwu")


MISSHAPEN: list[tuple[str, dict[str, Any]]] = [
    (LIST, {"group_chat_list": [{}]}),
    (LIST, {"group_chat_list": "many"}),
    (LIST, {"group_chat_list": [{"chat_id": 5}]}),
    (GET, {}),
    (GET, {"group_chat": None}),
    (GET, {"group_chat": {"chat_id": "wr1", "owner": "a"}}),
    (GET, {"group_chat": {"chat_id": "wr1", "owner": "a", "member_list": [{"userid": "x"}]}}),
    (GET, {"group_chat": {**GROUP, "create_time": "yesterday"}}),
    (GET, {"group_chat": {**GROUP, "create_time": 10**30}}),
    (GET, {"group_chat": {**GROUP, "admin_list": ["a"]}}),
    (GET, {"group_chat": {**GROUP, "owner": None}}),
    (CONTACT, {}),
    (CONTACT, {"external_contact": {}}),
    (CONTACT, person(type=[1])),
    (STAFF, {"follow_user": 5}),
    ("user/get", {}),
]


@pytest.mark.parametrize(("path", "answer"), MISSHAPEN)
async def test_misshapen_answers_are_errors_of_the_platform(
    gateway: "Gateway", platform: "Platform", path: str, answer: dict[str, Any]
) -> None:
    """An answer without what was asked for is a PlatformError to try again, never a KeyError in a handler."""
    platform.answers[path] = [answer]
    asks: dict[str, Callable[[], Awaitable[object]]] = {
        LIST: lambda: group_ids(gateway),
        GET: lambda: read_group(gateway, "wr1"),
        CONTACT: lambda: read_contact(gateway, "woAbc"),
        STAFF: lambda: follow_users(gateway),
        "user/get": lambda: staff_name(gateway, "a"),
    }
    with pytest.raises(PlatformError) as error:
        await asks[path]()
    assert (error.value.errcode, error.value.treatment, error.value.endpoint) == (BAD_ANSWER, "retry", path)


@pytest.mark.parametrize("path", [LIST, GET])
async def test_reading_by_post_leaves_nothing_unknown(gateway: "Gateway", platform: "Platform", path: str) -> None:
    """Lookups that the platform wants as POST are still lookups: a lost answer is a retry."""
    platform.answers[path] = [httpx2.ReadTimeout("x")]
    with pytest.raises(PlatformError) as error:
        await (group_ids(gateway) if path == LIST else read_group(gateway, "wr1"))
    assert error.value.treatment == "retry"


async def test_the_app_of_our_agent_id(gateway: "Gateway", platform: "Platform") -> None:
    """Asked for by our own number, it has a name."""
    platform.answers["agent/get"] = [{"errcode": 0, "agentid": 7, "name": "群管家", "close": 0}]
    assert await own_app(gateway) == App(agent_id=7, name="群管家")
    [query] = [query for path, query, _ in platform.asked if path == "agent/get"]
    assert query["agentid"] == "7"


@pytest.mark.parametrize("errcode", [40056, 301002])
async def test_an_agent_id_that_is_another_apps(gateway: "Gateway", platform: "Platform", errcode: int) -> None:
    """Whether there is no such app, or only not for this secret: it is not ours."""
    platform.answers["agent/get"] = [{"errcode": errcode}]
    assert await own_app(gateway) is None


async def test_what_hides_every_app_is_an_error(gateway: "Gateway", platform: "Platform") -> None:
    """An address that is not trusted says nothing about the agent id."""
    platform.answers["agent/get"] = [{"errcode": 60020}]
    with pytest.raises(PlatformError):
        await own_app(gateway)
