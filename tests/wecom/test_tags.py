"""The corp's tags: read, made, and given to contacts, to the byte."""

from typing import TYPE_CHECKING

import pytest

from rules.actions import MarkTag
from wecom.commands import add_corp_tags, mark_tag
from wecom.errors import PlatformError
from wecom.tags import TagGroup, corp_tags

if TYPE_CHECKING:
    from tests.wecom.conftest import Platform
    from wecom.gateway import Gateway

LIST, ADD, MARK = (f"externalcontact/{each}" for each in ("get_corp_tag_list", "add_corp_tag", "mark_tag"))


async def test_deleted_tags_are_no_tags(gateway: "Gateway", platform: "Platform") -> None:
    """Groups in the order of the console, without what was deleted."""
    tags = [{"id": "et1", "name": "绿茶"}, {"id": "et2", "name": "红茶", "deleted": True}]
    groups = [
        {"group_id": "eg1", "group_name": "喜好", "tag": tags},
        {"group_id": "eg2", "group_name": "旧", "deleted": True},
    ]
    platform.answers[LIST] = [{"errcode": 0, "tag_group": groups}]
    assert await corp_tags(gateway) == (TagGroup(group_id="eg1", name="喜好", tags={"绿茶": "et1"}),)


async def test_a_misshapen_answer_is_told(gateway: "Gateway", platform: "Platform") -> None:
    """A group without its name is no group: PlatformError."""
    platform.answers[LIST] = [{"errcode": 0, "tag_group": [{"group_id": "eg1"}]}]
    with pytest.raises(PlatformError):
        await corp_tags(gateway)


async def test_tags_are_made_and_given(gateway: "Gateway", platform: "Platform") -> None:
    """By name into their group; by id to a colleague's contact."""
    await add_corp_tags(gateway, "喜好", ["绿茶", "红茶"])
    await mark_tag(gateway, MarkTag(userid="wangwu", external_userid="wm1", tag_ids=("et1",), own_tags=(1,)))
    assert platform.bodies(ADD) == [{"group_name": "喜好", "tag": [{"name": "绿茶"}, {"name": "红茶"}]}]
    assert platform.bodies(MARK) == [{"userid": "wangwu", "external_userid": "wm1", "add_tag": ["et1"]}]
