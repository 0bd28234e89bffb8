"""Codes that the API makes: for groups (加入群聊, pages 92229, 99547) and for people (联系我, pages 92228, 96348).

They are not shown in the console. An app sees only its own, and those for groups cannot even be listed: whoever loses
a config_id cannot find it again. What a QR picture stands for is its `code`; people scan that (simulator/joins.py).
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from simulator.errors import ApiError

if TYPE_CHECKING:
    from simulator.world import World

PICTURES = "/wwhead/"  # on the address of the simulator


@dataclass
class JoinWay:
    """A code that leads into groups. `made`: groups that were made by themselves when those of `chat_ids` were full."""

    config_id: str
    app: int
    code: str
    made_at: datetime
    scene: int
    chat_ids: list[str]
    remark: str = ""
    auto_create_room: bool = True
    room_base_name: str = ""
    room_base_id: int = 1
    state: str | None = None
    mark_source: bool = True
    made: list[str] = field(default_factory=list)
    next_room: int = 1


@dataclass
class ContactWay:
    """A code that makes its scanner a contact of one of `users`."""

    config_id: str
    app: int
    code: str
    made_at: datetime
    type: int
    scene: int
    users: list[str]
    remark: str = ""
    skip_verify: bool = True
    state: str | None = None
    mark_source: bool = True
    is_exclusive: bool = False


AnyWay = JoinWay | ContactWay


class Codes:
    """`join_ways` and `contact_ways` by config_id, those that are still there. `deleted`: the codes of those that went.

    `appends`: whether get_join_way shows groups that were made by themselves; not documented [NV].
    """

    def __init__(self, world: "World") -> None:
        self._world = world
        self.join_ways: dict[str, JoinWay] = {}
        self.contact_ways: dict[str, ContactWay] = {}
        self.deleted: dict[str, AnyWay] = {}
        self.made = 0
        self.appends = True
        self._by_code: dict[str, AnyWay] = {}

    def room(self) -> None:
        """Raises ApiError where the corp has all the codes that it may have. Which errcode says so is [NV]."""
        if len(self.join_ways) + len(self.contact_ways) >= self._world.limits.codes:
            raise ApiError(45029, "config")

    def identity(self, kind: str) -> tuple[str, str, datetime]:
        """A new config_id, a new code, and when."""
        self.made += 1
        return self._world.new_id("config", 32), self._world.new_id(kind, 20), self._world.clock.now()

    def keep(self, way: AnyWay) -> None:
        self._by_code[way.code] = way
        if isinstance(way, JoinWay):
            self.join_ways[way.config_id] = way
        else:
            self.contact_ways[way.config_id] = way

    def join_way(self, config_id: str) -> JoinWay:
        """Raises ApiError for what is gone, or another app's. Which errcode says so is [NV]."""
        found = self.join_ways.get(config_id)
        if found is None or found.app != self._world.agent_id:
            raise ApiError(40058, "config_id")
        return found

    def contact_way(self, config_id: str) -> ContactWay:
        """Likewise."""
        found = self.contact_ways.get(config_id)
        if found is None or found.app != self._world.agent_id:
            raise ApiError(40058, "config_id")
        return found

    def delete(self, way: AnyWay) -> None:
        """From now on its code says that it is no longer valid."""
        self.join_ways.pop(way.config_id, None)
        self.contact_ways.pop(way.config_id, None)
        self.deleted[way.code] = self._by_code.pop(way.code)

    def find(self, code: str) -> AnyWay | None:
        """What a picture stands for, where it is a code of the API that is still there."""
        return self._by_code.get(code)

    # --- pictures -----------------------------------------------------------------------------------------------------

    def picture_url(self, code: str) -> str:
        """Where the picture of a code is, as the API tells it."""
        return f"{self._world.address}{PICTURES}{code}"

    def content(self, code: str) -> str:
        """What is written in that picture: an address by which WeChat knows WeCom's codes."""
        way = self._by_code.get(code) or self.deleted.get(code)
        return f"https://work.weixin.qq.com/{'ca' if isinstance(way, ContactWay) else 'gm'}/{code}"


def code_in(scanned: str) -> str:
    """The code in what somebody scanned: the address in a picture, the picture's address, or the code itself."""
    return scanned.strip().rstrip("/").rpartition("/")[2]
