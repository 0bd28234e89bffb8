"""Customer groups: who is in, their versions, and what the read API already knows of them."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Member:
    """`type` 1: our staff, 2: an external contact. `join_scene` 1 invited directly, 2 by a link, 3 scanned."""

    id: str
    type: int
    join_time: datetime
    join_scene: int = 1
    invitor: str | None = None
    state: str | None = None
    group_nickname: str = ""


@dataclass(frozen=True)
class Snapshot:
    """A group at one moment."""

    chat_id: str
    name: str
    owner: str
    admins: tuple[str, ...]
    notice: str
    created_at: datetime
    members: dict[str, Member]
    version: str
    dismissed: bool

    @property
    def external_ids(self) -> frozenset[str]:
        return frozenset(each.id for each in self.members.values() if each.type == 2)

    @property
    def staff_ids(self) -> frozenset[str]:
        return frozenset(each.id for each in self.members.values() if each.type == 1)


@dataclass
class Group:
    """A customer group. `code` is what its QR picture stands for; whoever has it can scan it.

    `internal`: made among colleagues; customers can never enter, and the API for customer groups does not know it.
    `confirms`: 群聊邀请确认 is on, so that who scans has to wait for the owner. No API shows it.
    """

    chat_id: str
    name: str
    owner: str
    admins: list[str]
    created_at: datetime
    code: str
    notice: str = ""
    dismissed: bool = False
    internal: bool = False
    confirms: bool = False
    members: dict[str, Member] = field(default_factory=dict)
    version: str = ""
    _changes: int = 0
    _older: list[tuple[Snapshot | None, datetime]] = field(default_factory=list)

    @property
    def removers(self) -> tuple[str, ...]:
        """Only the owner and the admins can take somebody out."""
        return (self.owner, *self.admins)

    def new_version(self) -> str:
        """Every change of membership makes a new opaque version. Returns the one before."""
        before = self.version
        self._changes += 1
        self.version = hashlib.md5(f"{self.chat_id}|{self._changes}".encode(), usedforsecurity=False).hexdigest()
        return before

    def now(self) -> Snapshot:
        """The truth."""
        return Snapshot(
            self.chat_id,
            self.name,
            self.owner,
            tuple(self.admins),
            self.notice,
            self.created_at,
            dict(self.members),
            self.version,
            self.dismissed,
        )

    def stay_behind(self, until: datetime, *, born: bool = False) -> None:
        """Before a change: the read API is to go on telling the present state until `until` (page 96338).

        `born`: the group is being made, and until then the read API does not know it.
        """
        self._older.append((None if born else self.now(), until))

    def readable(self, now: datetime) -> list[Snapshot | None]:
        """What the read API may answer at `now`: the oldest state that it still tells first, the truth last."""
        self._older = [(state, until) for state, until in self._older if now < until]
        return [*(state for state, _ in self._older), self.now()]
