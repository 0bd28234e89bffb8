"""`config.yaml` → a typed value, or everything that is wrong with it: file, line, column, and a reason in Chinese."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError

from bot.config.errors import explain
from bot.config.files import read_files, with_files
from bot.config.problems import Problem, closest, in_order, render
from bot.config.word_files import Unreadable
from bot.config.yaml_tree import Node, read_tree
from rules.book import Book

M = TypeVar("M", bound=BaseModel)


class ConfigError(Exception):
    """A config that cannot be used. `problems`: all of them, in the order of the file."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(problems, key=in_order)
        super().__init__(render(self.problems))


class NoFileError(ConfigError):
    """There is no file to read, or it cannot be opened."""


class Written(NamedTuple):
    """A config as somebody wrote it. `files`: what it names (bot/config/files.py), as text or why there is none."""

    text: str
    files: Mapping[str, str | Unreadable] = {}

    @property
    def hash(self) -> str:
        """What a decision records as the config's version."""
        return config_hash(self.text, self.files)


def read_written(path: Path) -> Written:
    """The file and those beside it. Raises as `read_text`; what is wrong with the others is told later."""
    text = read_text(path)
    return Written(text, read_files(path.parent, text))


def read_config(path: Path, model: type[M]) -> M:
    """The file as a `model`, the words of its word files given to the rules of a Book. Raises ConfigError."""
    written = read_written(path)
    config, root = parse_with_places(written.text, path.name, model)
    if isinstance(config, Book):
        config, problems = with_files(config, root, path.name, written.files)
        if problems:
            raise ConfigError(problems)
    return config


def read_text(path: Path) -> str:
    """The file's text. Raises NoFileError, or ConfigError where it is not UTF-8."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        others = [other.name for pattern in ("*.yaml", "*.yml") for other in path.parent.glob(pattern)]
        reason = f"找不到这个文件（在 {path.absolute().parent} 里找过）"
        raise NoFileError([Problem(path.name, 0, 0, "", "", reason, closest(path.name, others))]) from None
    except OSError as error:
        reason = f"打不开这个文件（{error.strerror}）：请确认它是一个普通文件，并且有读取权限"
        raise NoFileError([Problem(path.name, 0, 0, "", "", reason)]) from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        column = len(before[before.rfind(b"\n") + 1 :].decode()) + 1
        reason = "这里不是 UTF-8 编码的文字：请用「另存为」把文件保存成 UTF-8 编码"
        raise ConfigError([Problem(path.name, before.count(b"\n") + 1, column, "", "", reason)]) from None


def parse_config(text: str, file: str, model: type[M]) -> M:
    """The text as a `model`; `file` is the name shown in problems. Raises ConfigError."""
    return parse_with_places(text, file, model)[0]


def parse_with_places(text: str, file: str, model: type[M]) -> tuple[M, Node]:
    """Likewise, together with the text as a tree that knows where everything stands."""
    root, faults = read_tree(text)
    problems = [Problem(file, *fault.place, "", fault.value, fault.reason) for fault in faults]
    if root is None:
        raise ConfigError(problems or [Problem(file, 0, 0, "", "", "这个文件是空的")])
    try:
        # By way of JSON: there lists may become tuples and text may become dates even in a strict model.
        config = model.model_validate_json(json.dumps(root.data()))
    except ValidationError as error:
        named = {(problem.line, problem.column) for problem in problems}  # one mistake, and what follows from it
        problems += [each for each in explain(error, root, model, file) if (each.line, each.column) not in named]
    if problems:
        raise ConfigError(problems) from None
    return config, root


def config_hash(text: str, files: Mapping[str, str | Unreadable] = {}) -> str:
    """The hex SHA-256 of a config's text, and of its word files where it has any."""
    whole = f"{text}\0{json.dumps(files, ensure_ascii=False, sort_keys=True)}" if files else text
    return hashlib.sha256(whole.encode()).hexdigest()
