"""groupchat/statistic: how lively the groups of each owner were."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from wecom.errors import BAD_ANSWER, PlatformError
from wecom.lookups import group_statistics

if TYPE_CHECKING:
    from tests.wecom.conftest import Platform
    from wecom.gateway import Gateway

STATISTIC = "externalcontact/groupchat/statistic"
FIRST = datetime(2026, 11, 15, 16, tzinfo=UTC)
LAST = FIRST + timedelta(days=6)
DATA = {
    "new_chat_cnt": 0,
    "chat_total": 5,
    "chat_has_msg": 4,
    "new_member_cnt": 12,
    "member_total": 900,
    "member_has_msg": 70,
    "msg_total": 810,
    "migrate_trainee_chat_cnt": 0,
}


async def test_a_week_of_one_owner(gateway: "Gateway", platform: "Platform") -> None:
    """The days go as the beginnings of the first and the last; an owner without groups has no row."""
    platform.answers[STATISTIC] = [{"errcode": 0, "total": 1, "items": [{"owner": "wangwu", "data": DATA}]}]
    [week] = await group_statistics(gateway, ["wangwu", "zhaoliu"], FIRST, LAST)
    expected = {"owner": "wangwu", "groups": 5, "new_members": 12, "members": 900, "active": 70, "messages": 810}
    assert week.model_dump(exclude={"name"}) == expected
    assert platform.bodies(STATISTIC) == [
        {
            "day_begin_time": 1794758400,
            "day_end_time": 1795276800,
            "owner_filter": {"userid_list": ["wangwu", "zhaoliu"]},
            "limit": 1000,
        }
    ]


@pytest.mark.parametrize("items", [[{}], [{"owner": "wangwu"}], [{"owner": "wangwu", "data": {}}], "many"])
async def test_misshapen_statistics_are_errors_of_the_platform(
    gateway: "Gateway", platform: "Platform", items: Any
) -> None:
    """Never a KeyError in a handler."""
    platform.answers[STATISTIC] = [{"errcode": 0, "items": items}]
    with pytest.raises(PlatformError) as error:
        await group_statistics(gateway, ["wangwu"], FIRST, LAST)
    assert error.value.errcode == BAD_ANSWER
