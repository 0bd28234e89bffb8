"""Handing groups to another owner over the API (page 95703): what the platform counts, and what it refuses."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from simulator.groups import Member

if TYPE_CHECKING:
    from simulator.groups import Group
    from simulator.people import Staff
    from simulator.world import World

A_GROUP, WITHIN = 2, timedelta(days=90)
AN_OWNER_A_DAY = 300


@dataclass
class Transfers:
    """What was handed over so far: per group the moments, per old owner and day (of Beijing) how many."""

    of_group: dict[str, list[datetime]] = field(default_factory=dict)
    of_owner: dict[tuple[str, int], int] = field(default_factory=dict)

    def refused(self, world: "World", group: "Group | None", new_owner: "Staff") -> int | None:
        """Why this group is not handed over: an errcode. Which code stands for the two limits is [NV]."""
        if group is None or group.dismissed or group.internal:
            return 90501
        if world.staff[group.owner].left:
            return 90502
        if group.owner == new_owner.userid:
            return 90504
        if not world.staff[group.owner].visible:
            return 60011
        if len(group.members) >= 500 and new_owner.userid not in group.members:
            return 90503
        now = world.clock.now()
        lately = [at for at in self.of_group.get(group.chat_id, []) if now - at < WITHIN]
        if len(lately) >= A_GROUP or self.of_owner.get((group.owner, _day(now)), 0) >= AN_OWNER_A_DAY:
            return 90505
        return None

    def hand_over(self, world: "World", group: "Group", new_owner: "Staff") -> None:
        """The new owner becomes a member where they were none. No callback tells of it."""
        now = world.clock.now()
        self.of_group.setdefault(group.chat_id, []).append(now)
        self.of_owner[group.owner, _day(now)] = self.of_owner.get((group.owner, _day(now)), 0) + 1
        if new_owner.userid not in group.members:
            group.members[new_owner.userid] = Member(new_owner.userid, 1, now)
            group.new_version()
        group.owner = new_owner.userid
        group.admins = [each for each in group.admins if each != new_owner.userid]
        world.tell(new_owner.name, f"经接口转让，成为群「{group.name}」的群主", chat_id=group.chat_id)


def _day(at: datetime) -> int:
    return int(at.timestamp() + 8 * 3600) // 86400
