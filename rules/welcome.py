"""Welcome: what newcomers to a group and new contacts are told, and the words about it for staff and managers.

A group's welcome is the one thing that WeCom itself posts in a customer group (page 92366). The bot makes the template;
only a person can attach it to a group. A contact's welcome goes out by a code that lives 20 seconds (page 92137).
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from rules.facts import Group
from rules.rule import EVERYWHERE, Names, Settings

CODE_LIVES = timedelta(seconds=20)
MOST_TEMPLATES = 100  # of one corp
GROUP_BYTES = 3000
CONTACT_BYTES = 4000
BEGINNING = 12  # characters by which people know a template again
SHOWN = 20
NICKNAME = "%NICKNAME%"
_PLACEHOLDER = re.compile(r"%[A-Za-z_]+%")


def _fitting(text: str, most: int) -> str:
    """`text`, where it is something and no longer than so many bytes of UTF-8. Raises ValueError in Chinese."""
    if not text.strip():
        raise ValueError("欢迎语是空的，请写上要说的话，或者删掉这一条")
    over = len(text.encode()) - most
    if over > 0:
        raise ValueError(f"欢迎语太长：最多 {most:,} 字节（一个汉字 3 字节），超出 {over:,} 字节")
    return text


class GroupWelcome(Settings):
    """一段入群欢迎语：哪些群用它，说什么。"""

    name: str = Field(
        default="",
        description="这段欢迎语的名字，不写就用 groups 写的。不能重复；名字变了就是新的一段，群主要重新挂。",
    )
    groups: Names = Field(
        default=("all",),
        description="哪些群用：all（全部）、一类群的名字，或群名的通配写法，如 *静安*。几段都合的群用先写的。",
    )
    text: str = Field(
        description=f"新人进群时说什么：纯文字，最多 {GROUP_BYTES:,} 字节（一个汉字 3 字节）。"
        f"{NICKNAME} 会换成新人的昵称。"
    )

    @field_validator("text")
    @classmethod
    def _text_fits(cls, text: str) -> str:
        return _fitting(text, GROUP_BYTES)

    @property
    def title(self) -> str:
        """What makes it this one, whatever its text."""
        return self.name or "、".join(self.groups)

    def covers(self, group: Group) -> bool:
        return any(name in EVERYWHERE or name == group.kind or fnmatchcase(group.name, name) for name in self.groups)


class ContactWelcome(Settings):
    """新客户加好友时的欢迎语。"""

    text: str = Field(
        description="好友欢迎语：客户加了同事为好友，二十秒内说这段话。"
        f"纯文字，最多 {CONTACT_BYTES:,} 字节（一个汉字 3 字节）。"
    )

    @field_validator("text")
    @classmethod
    def _text_fits(cls, text: str) -> str:
        if found := _PLACEHOLDER.search(text):
            raise ValueError(f"好友欢迎语里的 {found[0]} 不会被替换，客户会看到原样的字，请删掉")
        return _fitting(text, CONTACT_BYTES)


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


class Welcome(Settings):
    """欢迎语：新人进群、新客户加好友时说什么。"""

    group: Annotated[tuple[GroupWelcome, ...], BeforeValidator(_as_tuple)] = Field(
        default=(),
        max_length=MOST_TEMPLATES,
        description="入群欢迎语，逐段写：机器人建好素材，群主在群里挂一次，以后改文字不用再挂。",
    )
    contact: ContactWelcome | None = Field(default=None, description="好友欢迎语：不写就不发。")

    @model_validator(mode="after")
    def _titles_are_unique(self) -> Self:
        places: dict[str, int] = {}
        for place, each in enumerate(self.group):
            if each.title in places:
                raise PydanticCustomError(
                    "doubled",
                    "第 {first} 段和第 {second} 段入群欢迎语都叫「{title}」：请给其中一段写上不同的 name",
                    {"first": places[each.title] + 1, "second": place + 1, "title": each.title, "at": ("group", place)},
                )
            places[each.title] = place
        return self

    def of_group(self, group: Group) -> GroupWelcome | None:
        """The one for this group: the first that covers it."""
        return next((each for each in self.group if each.covers(group)), None)


def text_hash(text: str) -> str:
    """Hex SHA-256: tells whether a text has changed."""
    return hashlib.sha256(text.encode()).hexdigest()


# --- words ------------------------------------------------------------------------------------------------------------

ATTACH = "挂入群欢迎语"


def say_attach(group_name: str, text: str) -> str:
    """To the group's owner: once, by hand, because no API can do it."""
    beginning = " ".join(text.split())
    beginning = beginning if len(beginning) <= BEGINNING else beginning[:BEGINNING] + "…"
    return (
        f"「{group_name}」还没挂欢迎语。点法：打开这个群 → 右上角「···」（群设置）→ 入群欢迎语 → "
        f"选企业配置的「{beginning}」→ 保存，然后按「已办」。只用做一次，以后改文字不用再挂。"
    )


def say_missing(waiting: Mapping[str, Sequence[str]]) -> str:
    """To the managers. `waiting`: owner's name → names of the groups that have had no welcome for days."""
    total = sum(len(names) for names in waiting.values())
    said: list[str] = []
    left = SHOWN
    for owner, names in sorted(waiting.items(), key=lambda each: (-len(each[1]), each[0])):
        if left <= 0:
            break
        said.append(f"{owner}：{'、'.join(f'「{name}」' for name in names[:left])}")
        left -= len(names)
    more = "……" if total > SHOWN else ""
    return f"这 {total} 个群还没挂欢迎语，群主都收到过待办：{'；'.join(said)}{more}。没有接口能代挂，请提醒他们。"


def say_failed(title: str, reason: str) -> str:
    """To the managers: the platform refused a template."""
    return f"入群欢迎语「{title}」没有建好或改好：{reason}改好以后按「已办」，机器人会再试一次。"
