"""The corp's tags as the platform has them. Making and giving them are commands (wecom/commands.py)."""

from collections.abc import Mapping

from rules.value import Value
from wecom.answers import reading
from wecom.gateway import Gateway


class TagGroup(Value):
    """A group of tags. `tags`: name → id."""

    group_id: str
    name: str
    tags: Mapping[str, str]


async def corp_tags(gateway: Gateway) -> tuple[TagGroup, ...]:
    """All groups of the corp's tags (page 96320), in the order of the console. Raises PlatformError."""
    path = "externalcontact/get_corp_tag_list"
    answer = await gateway.post(path, {}, reads=True)
    with reading(path):
        return tuple(
            TagGroup(
                group_id=group["group_id"],
                name=group["group_name"],
                tags={str(tag["name"]): str(tag["id"]) for tag in group.get("tag") or () if not tag.get("deleted")},
            )
            for group in answer.get("tag_group") or ()
            if not group.get("deleted")
        )
