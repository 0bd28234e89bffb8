"""What a config does, in a manager's words: settings by their Chinese names, kinds in order, what each rule covers.

Works from the settings' own descriptions, so a new feature shows up without a change here.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from pydantic import BaseModel

from bot.config.checkin_words import describe_checkin
from bot.config.patterns import example, is_pattern
from bot.config.post_words import describe_post
from bot.config.walk import Setting, walk
from rules.book import Book
from rules.checkins import Checkin
from rules.posts import PostGroup
from rules.rule import EVERYWHERE, AnyRuleOf

_NOT_SHOWN = {"rule", "name"}  # they are the heading
_OTHER = "other"


class Line(NamedTuple):
    """One setting: what it is called and what it says. `default`: the file does not say so, it is just so."""

    label: str
    value: str
    default: bool = False


class Item(NamedTuple):
    """A shop, a rule …: its name, where there is more to say a sentence about it, and its settings."""

    title: str
    about: str
    lines: tuple[Line, ...]


class Section(NamedTuple):
    """One key of the file's first level. `title` in Chinese; `about`: a remark for the whole section."""

    key: str
    title: str
    about: str
    items: tuple[Item, ...]


def describe(
    book: Book,
    groups: Sequence[str] | None = None,
    *,
    places: Sequence[PostGroup] | None = None,
    now: datetime | None = None,
) -> list[Section]:
    """Every section that says something. `groups`: names of the groups there are, to be counted by kind; `places`: the
    same as posts see them. `now`: tell what comes next, too.
    """
    posts = [
        Item(post.name, "", tuple(Line(*each) for each in describe_post(book, post, now, places)))
        for post in book.posts
    ]
    sections = [
        Section(key, "定时内容", "", tuple(posts)) if key == "posts" else _section(book, key, groups)
        for key in type(book).model_fields
    ]
    return [section for section in sections if any(item.title or item.lines for item in section.items)]


def _section(book: Book, key: str, groups: Sequence[str] | None) -> Section:
    field, value = type(book).model_fields[key], getattr(book, key)
    title = re.split("[：，。]", field.description or key)[0]
    if key == "groups":
        return Section(key, title, "按这个顺序，先合的先算", (Item("", "", tuple(_kinds(book, groups))),))
    if key == "rules":
        rules = (_rule(rule, place, book) for place, rule in enumerate(book.rules))
        return Section(key, title, "", tuple(rules))
    if isinstance(value, dict):
        items = [_item(name, each, book) for name, each in value.items() if isinstance(each, BaseModel)]
    elif isinstance(value, tuple) and any(isinstance(each, BaseModel) for each in value):
        items = [_item(str(getattr(each, "name", place + 1)), each, book) for place, each in enumerate(value)]
    elif isinstance(value, BaseModel):
        items = [_item("", value, book)]
    else:
        (setting,) = (each for each in walk(book) if each.path == (key,))
        items = [Item("", "", (Line(title, _say(setting.value), not setting.written),))] if setting.value else []
    return Section(key, title, "", tuple(items))


def _item(title: str, settings: BaseModel, book: Book) -> Item:
    return Item(title, "", tuple(_lines(settings, book)))


def _lines(settings: BaseModel, book: Book) -> Iterator[Line]:
    said = describe_checkin(settings) if isinstance(settings, Checkin) else {}
    for setting in walk(settings):
        if setting.path[0] in said or setting.path[-1] in _NOT_SHOWN or setting.value in (None, "", [], {}):
            continue
        groups = "一类群" in setting.description
        names = [setting.value] if isinstance(setting.value, str) else setting.value
        value = _say_groups(names, book) if groups and names and names != [""] else _say_setting(setting)
        yield Line(setting.label, value, not setting.written)
    for lines in said.values():
        yield from (Line(*each) for each in lines)


def _say_setting(setting: Setting) -> str:
    """In Chinese where there is a word for it, with what the description says of that word."""
    if not setting.spellings:
        return _say(setting.value)
    if isinstance(setting.value, list):
        if len(setting.value) == 1:
            return _say_setting(setting._replace(value=setting.value[0]))
        return " → ".join(setting.spellings.get(each, str(each)) for each in setting.value)
    word = setting.spellings.get(setting.value, str(setting.value))
    found = re.search(rf"(?<![\w.]){re.escape(word)} ?[（(](?:[a-z_]+[，,] ?)?([^（）()]+)[）)]", setting.description)
    return f"{word}（{found[1]}）" if found and not found[1].isascii() else word


def _say(value: Any) -> str:
    """Plain JSON data."""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, list):
        return "、".join(_say(each) for each in value)
    if isinstance(value, dict):
        return "；".join(f"{name}：{_say(each)}" for name, each in value.items() if each not in (None, "", [], {}))
    return str(value)


# --- kinds of groups --------------------------------------------------------------------------------------------------


def _kinds(book: Book, groups: Sequence[str] | None) -> Iterator[Line]:
    if not book.groups:
        return
    for kind, patterns in (*book.groups.items(), (_OTHER, ())):
        count = "" if groups is None else f"，现有 {sum(book.kind_of(name) == kind for name in groups)} 个群"
        named = "、".join(patterns) or "其余的群"
        yield Line(kind, f"{named} → {_rules_for(book, kind, patterns)}{count}")


def _rules_for(book: Book, kind: str, patterns: Sequence[str]) -> str:
    """Which rules speak of groups of this kind, and of which only some of them."""
    said = []
    for rule in book.rules:
        share = _share(rule, kind, patterns, book)
        if share:
            said.append(rule.title if share == "all" else f"{rule.title}（其中一部分）")
    return f"规则 {'、'.join(said)}" if said else "没有规则管"


def _share(rule: AnyRuleOf, kind: str, patterns: Sequence[str], book: Book) -> str:
    """How much of a kind a rule covers: "all", "some", or "" for nothing."""
    kinds = (*book.groups, _OTHER)

    def named(names: Sequence[str]) -> str:
        if any(name in EVERYWHERE or name == kind for name in names):
            return "all"
        others = [name for name in names if name not in kinds]
        meet = (example(name, pattern, fits_other=True) for name in others for pattern in patterns or ("*",))
        return "some" if any(meet) else ""

    taken, left_out = named(rule.groups), named(rule.allow_groups)
    if not taken or left_out == "all":
        return ""
    return "all" if taken == "all" and not left_out else "some"


# --- rules ------------------------------------------------------------------------------------------------------------


def _rule(rule: AnyRuleOf, place: int, book: Book) -> Item:
    about = (type(rule).__doc__ or "").strip().split("\n")[0]
    return Item(f"{place + 1}. {rule.title}", about, tuple(_lines(rule, book)))


def _say_groups(names: Sequence[str], book: Book) -> str:
    said = []
    for name in names:
        if name in EVERYWHERE:
            said.append("全部的群")
        elif name in book.groups:
            said.append(f"{name}（{'、'.join(book.groups[name])}）")
        elif name == _OTHER:
            said.append("other（哪一类都不是的群）")
        else:
            said.append(f"群名合 {name} 的群" if is_pattern(name) else f"名叫「{name}」的群")
    return "、".join(said)
