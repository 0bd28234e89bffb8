"""What every rule is made of. A rule is one file: its settings, with the words editors show, and `decide`."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal, Protocol

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

from rules.decision import Decision
from rules.facts import Group

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


Step = Annotated[Literal["remove", "warn", "observe"], Spelled({"移出": "remove", "提醒": "warn", "仅观察": "observe"})]
"""What follows a hit."""

YesNo = Annotated[bool, Spelled({"是": True, "否": False})]
"""是 / 否, or true / false."""

Names = Annotated[
    tuple[str, ...],
    BeforeValidator(_as_tuple),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
"""One name or a list of names."""


class Settings(BaseModel):
    """Settings that a manager writes: frozen, strict, no unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Rule(Settings):
    """The settings all rules share. `name` is what strikes, releases and traces hang on; by default the rule's."""

    name: str = Field(default="", description="这条规则的名字，用于记录和说明；不写就用规则名。不能重复。")
    groups: Names = Field(
        default=("all",), description="管哪些群：all（全部）、一类群的名字，或群名的通配写法，如 *静安*。"
    )
    allow_groups: Names = Field(default=(), description="不管哪些群：一类群的名字，或群名的通配写法。")
    then: Step = Field(
        default="remove", description="怎么办：移出 (remove)、提醒 (warn)、仅观察 (observe，只记录不打扰任何人)。"
    )

    @property
    def title(self) -> str:
        """What this rule is called in records: its name, else the rule's."""
        return self.name or str(getattr(self, "rule", ""))

    def covers(self, group: Group) -> bool:
        """Whether this rule speaks about the group: named by kind or by pattern, and not left out by either."""
        return _fits(group, self.groups) and not _fits(group, self.allow_groups)


def _fits(group: Group, names: tuple[str, ...]) -> bool:
    return any(name in EVERYWHERE or name == group.kind or fnmatchcase(group.name, name) for name in names)


class Decides(Protocol):
    """What the handlers call: any rule, any family of events."""

    def decide(self, event: Any, facts: Any) -> Decision: ...
