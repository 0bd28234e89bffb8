"""The corp's tags (企业客户标签, pages 96320, 92697): groups of them, and whom members of staff have given which.

A tag is given by one member of staff to one of their own contacts; `externalcontact/get` shows it with that follower.
Changes by the API raise no callback (page 92130).
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from simulator.errors import ApiError

if TYPE_CHECKING:
    from simulator.world import World

MOST_TAGS = 3_000
NAME_LENGTH = 30


@dataclass
class Tag:
    """One tag of one group."""

    id: str
    name: str
    made_at: datetime
    order: int = 0


@dataclass
class TagGroup:
    """`tags` by id. A group without tags does not exist."""

    id: str
    name: str
    made_at: datetime
    order: int = 0
    tags: dict[str, Tag] = field(default_factory=dict)

    def named(self, name: str) -> Tag | None:
        return next((each for each in self.tags.values() if each.name == name), None)


class CorpTags:
    """`groups` by id. `given`: (userid, external_userid) → ids of tags, in the order in which they were given."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.groups: dict[str, TagGroup] = {}
        self.given: dict[tuple[str, str], list[str]] = {}

    def group_named(self, name: str) -> TagGroup | None:
        return next((each for each in self.groups.values() if each.name == name), None)

    def find(self, tag_id: str) -> tuple[TagGroup, Tag] | None:
        """A tag and the group it is in; None where there is none such."""
        return next(((group, group.tags[tag_id]) for group in self.groups.values() if tag_id in group.tags), None)

    def names_of(self, external_userid: str) -> list[str]:
        """The names of all tags that anybody of ours has given this person, each once."""
        ids = [tag_id for (_, who), tags in self.given.items() if who == external_userid for tag_id in tags]
        return list(dict.fromkeys(tag.name for each in ids if (tag := self._tag(each)) is not None))

    def add(self, group: TagGroup | None, group_name: str, names: list[str]) -> tuple[TagGroup, list[Tag]]:
        """Tags are made, with their group where there is none. 40071 for a name that is there [NV]."""
        if sum(len(each.tags) for each in self.groups.values()) + len(names) > MOST_TAGS:
            raise ApiError(45029, "tags")
        into = group or self.group_named(group_name)
        if into is not None and any(into.named(name) for name in names):
            raise ApiError(40071)
        now = self._world.clock.now()
        if into is None:
            into = TagGroup(self._world.new_id("et", 32), group_name, now)
            self.groups[into.id] = into
        made = [Tag(self._world.new_id("et", 32), name, now) for name in dict.fromkeys(names)]
        into.tags |= {each.id: each for each in made}
        return into, made

    def delete(self, tag_id: str) -> None:
        """Somebody deletes a tag in the console: nobody has it any more. With its last tag a group goes."""
        found = self.find(tag_id)
        if found is None:
            return
        group, _ = found
        del group.tags[tag_id]
        if not group.tags:
            del self.groups[group.id]
        for tags in self.given.values():
            if tag_id in tags:
                tags.remove(tag_id)

    def mark(self, userid: str, external_userid: str, add: list[str], remove: list[str]) -> None:
        """Raises ApiError 40068 for a tag that is none."""
        if any(self.find(each) is None for each in (*add, *remove)):
            raise ApiError(40068)
        kept = [each for each in self.given.get((userid, external_userid), []) if each not in remove]
        self.given[userid, external_userid] = list(dict.fromkeys([*kept, *add]))

    def shown(self, userid: str, external_userid: str) -> list[dict[str, object]]:
        """What `externalcontact/get` says of the tags that this follower has given."""
        found = [self.find(each) for each in self.given.get((userid, external_userid), [])]
        return [
            {"group_name": group.name, "tag_name": tag.name, "tag_id": tag.id, "type": 1}
            for group, tag in filter(None, found)
        ]

    def _tag(self, tag_id: str) -> Tag | None:
        found = self.find(tag_id)
        return found[1] if found else None
