"""How often the platform may be called (page 90454), and the tokens that let anybody call it (page 91039)."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from simulator.errors import ApiError

if TYPE_CHECKING:
    from simulator.world import World

TOKEN_LIFE = timedelta(seconds=7200)
ENDLESS = 10**9


@dataclass
class Limits:
    """`calls_per_minute`: per endpoint; whoever passes it gets 45009 until `block` is over. `of` overrides it by
    endpoint ("gettoken": how often is not documented [NV]). `concurrent`: calls of one endpoint at once, else 45033.
    `members_a_day`: person-messages per account and day, per app. `codes`: join ways and contact ways together.
    `group_messages_a_week`, `…_a_day`: how many 企业群发 a group or customer may get where the corp has tightened it
    (0: only as many a month as the month has days)."""

    calls_per_minute: int = 10_000
    of: dict[str, int] = field(default_factory=lambda: {"gettoken": 600})
    block: timedelta = timedelta(seconds=60)
    concurrent: int = 200
    member_per_minute: int = 30
    member_per_hour: int = 1000
    members_a_day: int = 200
    codes: int = 500_000
    group_messages_a_week: int = 0
    group_messages_a_day: int = 0

    @classmethod
    def none(cls) -> "Limits":
        """For benchmarks."""
        return cls(ENDLESS, {}, timedelta(0), ENDLESS, ENDLESS, ENDLESS, ENDLESS, ENDLESS)


class Usage:
    """Counts calls. A window is a minute of the world's clock that starts with the first call."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._windows: dict[str, tuple[datetime, int]] = {}
        self._blocked_until: dict[str, datetime] = {}
        self._running: dict[str, int] = {}
        self._day: tuple[int, int] = (0, 0)

    def count_call(self, endpoint: str) -> None:
        """Raises ApiError 45009."""
        limits, now = self._world.limits, self._world.clock.now()
        if now < self._blocked_until.get(endpoint, now):
            raise ApiError(45009)
        start, calls = self._windows.get(endpoint, (now, 0))
        if now - start >= timedelta(minutes=1):
            start, calls = now, 0
        if calls >= limits.of.get(endpoint, limits.calls_per_minute):
            self._blocked_until[endpoint] = now + limits.block
            raise ApiError(45009)
        self._windows[endpoint] = (start, calls + 1)

    def count_people(self, people: int) -> None:
        """Person-messages of today: accounts x 200. Raises ApiError 45009."""
        world = self._world
        today = int(world.clock.now().timestamp() + 8 * 3600) // 86400  # days turn in Shanghai
        day, so_far = self._day
        so_far = so_far if day == today else 0
        if so_far + people > world.limits.members_a_day * len(world.staff):
            raise ApiError(45009, "messages of today")
        self._day = (today, so_far + people)

    def enter(self, endpoint: str) -> None:
        """A call begins; `leave` must follow unless this raises ApiError 45033."""
        running = self._running.get(endpoint, 0)
        if running >= self._world.limits.concurrent:
            raise ApiError(45033)
        self._running[endpoint] = running + 1

    def leave(self, endpoint: str) -> None:
        self._running[endpoint] -= 1


class Tokens:
    """One token at a time: asking again within its life gives the same one. Likewise tickets."""

    def __init__(self, world: "World", kind: str = "token") -> None:
        self._world = world
        self._kind = kind
        self._issued: dict[str, datetime] = {}
        self._current: str | None = None

    def issue(self) -> tuple[str, int]:
        """The token and the seconds it has left."""
        now = self._world.clock.now()
        if self._current is None or now >= self._issued[self._current]:
            self._current = self._world.new_id(self._kind, 64)
            self._issued[self._current] = now + TOKEN_LIFE
        return self._current, int((self._issued[self._current] - now).total_seconds())

    def check(self, token: str) -> None:
        """Raises ApiError: 41001 missing, 40014 not (or no longer) ours, 42001 expired."""
        if not token:
            raise ApiError(41001)
        expires = self._issued.get(token)
        if expires is None:
            raise ApiError(40014)
        if self._world.clock.now() >= expires:
            raise ApiError(42001)

    def invalidate(self) -> None:
        """The platform takes the token back before its time."""
        if self._current is not None:
            del self._issued[self._current]
            self._current = None
