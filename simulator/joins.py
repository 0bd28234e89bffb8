"""People scan codes. What a group's code does is decided here: capacity, the next group, asking the owner first.

Scanning stops at 200 members; above, people come in by invitation only, up to 500 (facts §3). A code of the API leads
on to the next of its groups then, and where it may, to one that is made by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from simulator.codes import ContactWay, JoinWay, code_in
from simulator.errors import ImpossibleError
from simulator.people import Customer

if TYPE_CHECKING:
    from simulator.groups import Group
    from simulator.people import Staff
    from simulator.world import World

SCAN_LIMIT = 200  # a code stops letting people in here
GROUP_LIMIT = 500


@dataclass(frozen=True)
class Asking:
    """Somebody who scanned the code of a group with 群聊邀请确认 and waits for its owner."""

    chat_id: str
    person: str
    at: datetime
    state: str | None


@dataclass(frozen=True)
class Friend:
    """Somebody who scanned a 联系我 code with verification and waits for that person."""

    userid: str
    person: str
    at: datetime
    state: str | None


@dataclass(frozen=True)
class Scanned:
    """What came of a scan, one of: `group` they are in now, `staff` they have added, `asked` (someone has to agree)."""

    group: "Group | None" = None
    staff: "Staff | None" = None
    asked: bool = False


def may_enter(into: "Group", people: "Sequence[Customer | Staff]", *, scene: int) -> None:
    """Raises ImpossibleError where they cannot enter."""
    if into.dismissed:
        raise ImpossibleError("群已解散")
    if into.internal and any(isinstance(each, Customer) for each in people):
        raise ImpossibleError("这是内部群，客户进不去")
    if inside := [each.name for each in people if each.id in into.members]:
        raise ImpossibleError(f"{'、'.join(inside)}已在群里")
    size = len(into.members) + len(people)
    if size > GROUP_LIMIT:
        raise ImpossibleError("群已满 500 人")
    if scene == 3 and size > SCAN_LIMIT:
        raise ImpossibleError("群已满 200 人，只能由群成员邀请")


class Joins:
    """`asking` and `friends`: who waits for somebody's consent, in order. No API shows either."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.asking: list[Asking] = []
        self.friends: list[Friend] = []

    def scan(self, person: "Customer | Staff", scanned: str) -> Scanned:
        """Hold a code before one's phone: a group's own, or one of the API's. Raises ImpossibleError."""
        codes, code = self._world.codes, code_in(scanned)
        way = codes.find(code)
        if isinstance(way, JoinWay):
            return self._enter(self._room(way, person), person, way.state)
        if isinstance(way, ContactWay):
            return self._befriend(way, person)
        if code in codes.deleted:
            raise ImpossibleError("二维码已失效")
        group = next((each for each in self._world.groups.values() if each.code == code), None)
        if group is None:
            raise ImpossibleError("没有这个入群码")
        return self._enter(group, person, None)

    def _enter(self, group: "Group", person: "Customer | Staff", state: str | None) -> Scanned:
        if not group.confirms:
            self._world.join(group, person, state=state)
            return Scanned(group=group)
        may_enter(group, [person], scene=3)
        if not any((each.chat_id, each.person) == (group.chat_id, person.id) for each in self.asking):
            self.asking.append(Asking(group.chat_id, person.id, self._world.clock.now(), state))
        self._world.tell(
            person.name, f"申请进入群「{group.name}」，等群主确认", chat_id=group.chat_id, person=person.id
        )
        return Scanned(group=group, asked=True)

    def _room(self, way: JoinWay, person: "Customer | Staff") -> "Group":
        """The group that a scan leads into: where they are already, else the first with room, else a new one."""
        groups = [self._world.groups[each] for each in [*way.chat_ids, *way.made]]
        alive = [each for each in groups if not each.dismissed]
        for each in alive:
            if person.id in each.members:
                return each
        for each in alive:
            if len(each.members) < SCAN_LIMIT:
                return each
        if way.auto_create_room and groups:
            return self._new_room(way, groups[-1])
        raise ImpossibleError("群聊人数已达上限，无法加入" if alive else "群聊已解散，二维码失效")

    def _new_room(self, way: JoinWay, like: "Group") -> "Group":
        """WeCom makes the next group by itself, for the same owner; a create callback tells of it (facts §3)."""
        made = self._world.create_group(f"{way.room_base_name or like.name}{way.next_room}", like.owner)
        way.next_room += 1
        way.made.append(made.chat_id)
        return made

    def _befriend(self, way: ContactWay, person: "Customer | Staff") -> Scanned:
        if person.id in self._world.staff:
            raise ImpossibleError("自己公司的人不用加好友")
        customer = self._world.customers[person.id]
        there = [self._world.staff[each] for each in way.users if not self._world.staff[each].left]
        if not there:
            raise ImpossibleError("二维码已失效")
        known = next((each for each in there if each.userid in customer.follows), None)
        if known is not None:
            return Scanned(staff=known)  # the chat opens; nothing happens on the platform
        staff = self._world.fate.die("contact way").choice(there)
        if not way.skip_verify:
            self.friends.append(Friend(staff.userid, person.id, self._world.clock.now(), way.state))
            return Scanned(staff=staff, asked=True)
        self._world.make_contact(staff.userid, customer, way.state)
        return Scanned(staff=staff)

    def approve(self, asking: Asking, by: str) -> None:
        """The owner or an admin lets somebody in. Raises ImpossibleError."""
        group = self._world.groups[asking.chat_id]
        if by not in group.removers:
            raise ImpossibleError("只有群主和群管理员可以确认")
        if asking not in self.asking:
            raise ImpossibleError("已经处理过了")
        self.asking.remove(asking)
        self._world.join(group, asking.person, 3, state=asking.state)

    def accept(self, friend: Friend) -> None:
        """A member of staff accepts somebody as a contact."""
        if friend not in self.friends:
            raise ImpossibleError("已经处理过了")
        self.friends.remove(friend)
        self._world.make_contact(friend.userid, friend.person, friend.state)
