"""groupchat/statistic: what the platform says of the groups of each owner."""

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.simulator.conftest import Desk

STATISTIC = "externalcontact/groupchat/statistic"
DAYS = timedelta(days=1)


def days_ago(desk: "Desk", days: int) -> int:
    return int((desk.world.clock.now() - days * DAYS).timestamp())


async def test_members_and_messages_are_counted_by_owner(desk: "Desk") -> None:
    """Of whole days, both included; messages of today do not count yet; owners without groups have no row."""
    group = desk.world.create_group("一群", "lihua")
    desk.world.create_group("二群", "wangwu")
    newcomer = desk.world.add_customer("林小满")
    desk.world.join(group, newcomer)
    desk.world.talk.says(newcomer, group, "早")
    desk.world.talk.says(newcomer, group, "茶呢")
    desk.clock.advance(DAYS)
    desk.world.talk.says(newcomer, group, "今天的不算")
    day = {"day_begin_time": days_ago(desk, 1), "limit": 1000}
    answer = await desk.post(STATISTIC, {**day, "owner_filter": {"userid_list": ["lihua"]}})
    [row] = answer["items"]
    assert row["owner"] == "lihua"
    assert {key: row["data"][key] for key in ("chat_total", "member_has_msg", "msg_total", "new_member_cnt")} == {
        "chat_total": 1,
        "member_has_msg": 1,
        "msg_total": 2,
        "new_member_cnt": 2,
    }
    assert [each["owner"] for each in (await desk.post(STATISTIC, day))["items"]] == ["lihua", "wangwu"]
    page = await desk.post(STATISTIC, {**day, "limit": 1})
    assert (page["total"], page["next_offset"], len(page["items"])) == (2, 1, 1)


@pytest.mark.parametrize(("begin", "end"), [(0, 0), (31, 1), (181, 181), (1, 2)])
async def test_days_are_limited(desk: "Desk", begin: int, end: int) -> None:
    """Yesterday is the last, 30 days the most, and 180 are kept."""
    body = {"day_begin_time": days_ago(desk, begin), "day_end_time": days_ago(desk, end), "limit": 10}
    assert (await desk.post(STATISTIC, body))["errcode"] == 40058
