"""Every setting of a configuration with its description, whatever features it is made of.

What a setting holds is told by its description, which a manager reads as well: "姓名或 userid" are members of our
staff, "群名的通配写法" are patterns for group names, and with "一类群" besides kinds of groups. Before its first
punctuation mark stands what the setting is called in Chinese.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from bot.config.yaml_tree import Path
from rules.rule import Spelled


class Setting(NamedTuple):
    """One setting. `value` as plain JSON data; `written`: it stands in the file, else it is the default.

    `spellings`: the Chinese words for its values.
    """

    path: Path
    description: str
    value: Any
    written: bool
    spellings: Mapping[Any, str]

    @property
    def label(self) -> str:
        """What it is called: `管哪些群`."""
        return re.split("[：，。；（]", self.description)[0] or str(self.path[-1])

    def names(self) -> Iterator[tuple[Path, str]]:
        """Each name in it, with its own path. Only for settings that hold one name or a list of names."""
        if isinstance(self.value, str):
            yield self.path, self.value
        elif isinstance(self.value, list):
            yield from (((*self.path, place), name) for place, name in enumerate(self.value))


def walk(settings: BaseModel, path: Path = ()) -> Iterator[Setting]:
    """All settings inside, in the order of their classes; groups of settings are gone into, lists of names are not."""
    dumped = settings.model_dump(mode="json")
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        inner = {**value} if isinstance(value, dict) else dict(enumerate(value)) if isinstance(value, tuple) else {}
        groups = {key: each for key, each in inner.items() if isinstance(each, BaseModel)}
        spellings = {value: word for each in _spelled(field) for word, value in each.words.items()}
        written = name in settings.model_fields_set
        here = Setting((*path, name), field.description or "", dumped[name], written, spellings)
        if isinstance(value, BaseModel) and isinstance(dumped[name], dict):
            yield from walk(value, here.path)
        elif groups:
            for key, each in groups.items():
                yield from walk(each, (*here.path, key))
        elif isinstance(value, dict):
            for key, each in dumped[name].items():
                yield here._replace(path=(*here.path, key), value=each)
        else:
            yield here


def _spelled(field: FieldInfo) -> Iterator[Spelled]:
    """The Chinese spellings of a field's value, or of what its value is a list of."""
    inside = get_args(field.annotation)
    of_each = getattr(inside[0], "__metadata__", ()) if inside else ()
    yield from (each for each in (*field.metadata, *of_each) if isinstance(each, Spelled))
