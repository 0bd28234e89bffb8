"""Who there is: our corp's staff, and people outside it (customers, and people of other companies)."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from simulator.group_messages import Confirming
from simulator.habits import Habit, HabitName


@dataclass
class Staff:
    """A member of our corp. `visible`: in the app's visible range. `serves`: has 客户联系. `left`: the corp."""

    userid: str
    name: str
    visible: bool = True
    serves: bool = True
    left: bool = False
    departments: tuple[int, ...] = (1,)
    habit: Habit | None = None
    heard: int = 0
    minding: set[str] = field(default_factory=set)
    confirming: Confirming | None = None
    rung: Counter[str] = field(default_factory=Counter)

    @property
    def id(self) -> str:
        return self.userid

    def does(
        self,
        *deeds: HabitName,
        after: timedelta = timedelta(seconds=30),
        spread: timedelta = timedelta(0),
        ignores_first: int = 0,
        choose: str | None = None,
    ) -> "Staff":
        """From now on this person answers cards so (simulator/habits.py lists the deeds).

        The n-th card that is answered gets the n-th deed, later ones the last. `after` (plus a random part of
        `spread`) is how long they take, `ignores_first` how many cards and reminders they let pass, `choose` the option
        that they pick in a card's drop-down, by its id or words (else "all" where there is one, else what is first).
        """
        self.habit = Habit(deeds, after, spread, ignores_first, choose)
        self.heard = 0
        return self

    def confirms(
        self, after: timedelta = timedelta(minutes=1), *, spread: timedelta = timedelta(0), rings: int = 1
    ) -> "Staff":
        """From now on they confirm a 企业群发 once it has rung so many times (2: at the first reminder), `after` that
        and a random part of `spread` later.
        """
        self.confirming = Confirming(after, spread, rings)
        return self

    def never_confirms(self) -> "Staff":
        self.confirming = None
        return self


@dataclass(frozen=True)
class Follow:
    """A member of staff has added this person. The read API knows it from `readable_at` on."""

    userid: str
    at: datetime
    readable_at: datetime
    state: str | None = None


@dataclass
class Customer:
    """Somebody outside the corp. `type` 1: on WeChat (`wm…`), 2: on another company's WeCom (`wo…`), as the API says.

    `company` is where they work; the platform knows it of WeCom people only.
    """

    external_userid: str
    name: str
    type: int = 1
    unionid: str | None = None
    company: str = ""
    position: str = ""
    follows: dict[str, Follow] = field(default_factory=dict)
    returns_after: timedelta | None = None
    returns: int = 0

    @property
    def id(self) -> str:
        return self.external_userid

    @property
    def title(self) -> str:
        """How the client shows them: WeCom people with their company."""
        return f"{self.name}@{self.company}" if self.type == 2 else self.name

    def comes_back(self, after: timedelta, times: int = 1) -> "Customer":
        """When removed from a group, they scan its code again `after` that, so many `times`."""
        self.returns_after, self.returns = after, times
        return self
