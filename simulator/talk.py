"""What people say in their groups. No callback tells of it; only the archive does (simulator/archive.py)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from simulator.errors import ImpossibleError

if TYPE_CHECKING:
    from simulator.groups import Group
    from simulator.people import Customer, Staff
    from simulator.world import World


@dataclass(frozen=True)
class Said:
    """One message. `sender`: external_userid or userid; `type`: text, link, image … as the archive names it."""

    msgid: str
    chat_id: str
    sender: str
    name: str
    at: datetime
    type: str
    text: str


class Talk:
    """All conversations, in one list in order. `on_said`: who hears of each new message."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.said: list[Said] = []
        self.on_said: list[Callable[[Said], None]] = []

    def says(self, person: "Customer | Staff", group: "Group", text: str, type_: str = "text") -> Said:
        """Somebody who is in the group writes in it. Raises ImpossibleError."""
        world = self._world
        if group.dismissed or person.id not in group.members:
            raise ImpossibleError(f"{person.name}不在群里")
        msgid = f"{world.new_id('message', 32)}_external"
        said = Said(msgid, group.chat_id, person.id, person.name, world.clock.now(), type_, text)
        self.said.append(said)
        first_line = text.split("\n", 1)[0]
        world.tell(person.name, f"在群「{group.name}」说：{first_line}", chat_id=group.chat_id, person=person.id)
        for hears in self.on_said:
            hears(said)
        return said

    def in_group(self, chat_id: str) -> list[Said]:
        """The group's conversation, oldest first."""
        return [each for each in self.said if each.chat_id == chat_id]
