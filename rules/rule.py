"""What every rule is made of. A rule is one file: its settings, with the words editors show, and `judge`.

A rule says hit or miss, and why. What a hit leads to (`then`, strikes, cool-down, the cap of a day) is the same for all
rules and stands in rules/answer.py.
"""

from abc import abstractmethod
from collections.abc import Mapping
from datetime import timedelta
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Generic, Literal, TypeVar, final

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, core_schema

from rules.decision import Decision, Verdict, decided
from rules.events import Event
from rules.facts import Facts, Group
from rules.when import Duration, Hours

EVERYWHERE = ("all", "全部")


def _as_tuple(value: Any) -> Any:
    if isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


class Spelled:
    """The Chinese spellings of a field's values: `Annotated[Literal["warn"], Spelled({"提醒": "warn"})]`.

    The Chinese spellings come first wherever values are listed.
    """

    def __init__(self, words: Mapping[str, Any]) -> None:
        self.words = words

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self._meant, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        handler(schema)
        return {"enum": [*self.words, *self.words.values()]}

    def _meant(self, value: Any) -> Any:
        return self.words.get(value, value) if isinstance(value, str) else value


Step = Annotated[
    Literal["remove", "warn", "block", "observe"],
    Spelled({"移出": "remove", "提醒": "warn", "拉黑": "block", "仅观察": "observe"}),
]
"""What a hit leads to."""

STRENGTH: Mapping[Step, int] = {"observe": 0, "warn": 1, "remove": 2, "block": 3}
"""Where several rules hit one person, the strongest step is taken."""

YesNo = Annotated[bool, Spelled({"是": True, "否": False})]
"""是 / 否, or true / false."""

Names = Annotated[
    tuple[str, ...],
    BeforeValidator(_as_tuple),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
"""One name or a list of names."""


class OneOrMore:
    """One value or a list of them, always read as a tuple: `Annotated[tuple[Card, ...], OneOrMore()]`."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self._as_tuple, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        several = handler(schema)
        return {"anyOf": [several["items"], several]}

    def _as_tuple(self, value: Any) -> Any:
        if isinstance(value, list):
            return tuple(value)
        return value if isinstance(value, tuple) else (value,)


class Settings(BaseModel):
    """Settings that a manager writes: frozen, strict, no unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def _steps_schema() -> dict[str, Any]:
    one = {"type": "string", "enum": ["移出", "提醒", "拉黑", "仅观察", "remove", "warn", "block", "observe"]}
    return {"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]}


Steps = Annotated[tuple[Step, ...], BeforeValidator(_as_tuple), Field(min_length=1), WithJsonSchema(_steps_schema())]
"""One step, or what the first, second … offence leads to; the last one stays."""

# Settings of every rule that many rules have a default of their own for: `then: Then = ("warn",)`.
Then = Annotated[
    Steps,
    Field(
        description="怎么办：移出 (remove)、提醒 (warn)、拉黑 (block，请移出，以后在哪个群都请移出)、"
        "仅观察 (observe，只记录不打扰任何人)。写成列表就逐次加重，如 [提醒, 提醒, 移出]。"
    ),
]
CoolDown = Annotated[Duration, Field(description="同一个人多久以内只算一次：这期间再犯只记录，不再打扰任何人。")]
MostADay = Annotated[
    int | None,
    Field(ge=1, description="一天最多请移出多少人：超过就先停下来问负责人，防止规则写错时误伤一大片。"),
]

Looked = Literal["stays", "removed", "adverts", "name"]

E = TypeVar("E", bound=Event)
F = TypeVar("F", bound=Facts)


class Rule(Settings, Generic[E, F]):
    """The settings all rules share. `name` is what strikes, releases and traces hang on; by default the rule's.

    `about`: the families of events it is asked about (rules/events/group.py). `looks_at`: what
    it needs that is not had for nothing; with "name" it is asked again about who has a new name. `for_cause`: whoever
    was taken out because of it did something wrong, and is not welcome back (rules/blocklist.py); False where it only
    puts in order who belongs where.
    """

    about: ClassVar[tuple[type[Event], ...]] = ()
    looks_at: ClassVar[frozenset[Looked]] = frozenset()
    for_cause: ClassVar[bool] = True

    name: str = Field(default="", description="这条规则的名字，用于记录和说明；不写就用规则名。不能重复。")
    groups: Names = Field(
        default=("all",), description="管哪些群：all（全部）、一类群的名字，或群名的通配写法，如 *静安*。"
    )
    allow_groups: Names = Field(default=(), description="不管哪些群：一类群的名字，或群名的通配写法。")
    allow_people: Names = Field(default=(), description="不管哪些人，写 external_userid（wo… 或 wm…）。")
    then: Then = ("remove",)
    forget_after: Duration = Field(default=timedelta(days=30), description="多久以后不再计较：更早的违规不算次数。")
    again_after: Duration = Field(
        default=timedelta(days=3),
        description="提醒过以后多久情形还没变（如昵称一直没改），就算再犯一次。then 写了更重的下一步才有用。",
    )
    cool_down: CoolDown = timedelta(0)
    most_a_day: MostADay = None
    quiet_hours: Hours | None = Field(default=None, description="安静时段：这期间的事等过了再提，可以跨夜。")

    @property
    def title(self) -> str:
        """What this rule is called in records: its name, else the rule's."""
        return self.name or str(getattr(self, "rule", ""))

    @property
    def escalates(self) -> bool:
        """Whether a later offence leads to another step than the first."""
        return len(set(self.then)) > 1

    def covers(self, group: Group) -> bool:
        """Whether this rule speaks about the group: named by kind or by pattern, and not left out by either."""
        if not _fits(group.name, group.kind, self.groups):
            return False
        return not (self.allow_groups and _fits(group.name, group.kind, self.allow_groups))

    @final
    def decide(self, event: E, facts: F) -> Decision:
        """The rule's answer. Staff, allowed and exempt people, and groups it does not cover, are never judged."""
        let_be = self._why_let_be(facts)
        return self.miss(facts, let_be) if let_be else self.judge(event, facts)

    @abstractmethod
    def judge(self, event: E, facts: F) -> Decision:
        """Hit, miss or unknown, with its because. Only asked about whom the rule may judge at all."""

    def _why_let_be(self, facts: F) -> str:
        if not self.covers(facts.group):
            return f"本规则不管「{facts.group.name}」"
        if facts.is_staff:
            return "是自己的同事"
        if facts.subject in self.allow_people:
            return "此人在允许名单里（allow_people）"
        released_by = facts.released.get(self.title) if facts.released else ""
        return f"{released_by} 已放行此人" if released_by else ""

    def hit(self, facts: F, because: str, **more: Any) -> Decision:
        """`more`: the other fields of a Decision (offence, evidence, doubt, words, grace, actions)."""
        return decided(self._about(facts, because, "hit", more))

    def miss(self, facts: F, because: str, **more: Any) -> Decision:
        return decided(self._about(facts, because, "miss", more))

    def unknown(self, facts: F, because: str, **more: Any) -> Decision:
        return decided(self._about(facts, because, "unknown", more))

    def _about(self, facts: F, because: str, verdict: Verdict, more: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "rule": self.title,
            "verdict": verdict,
            "because": because,
            "subject": facts.subject,
            "chat_id": facts.group.chat_id,
            **more,
        }


AnyRuleOf = Rule[Any, Any]
"""Any rule, whatever it is about."""


@lru_cache(maxsize=10_000)  # asked for every message by every rule
def _fits(group_name: str, kind: str, names: tuple[str, ...]) -> bool:
    return any(name in EVERYWHERE or name == kind or fnmatchcase(group_name, name) for name in names)
