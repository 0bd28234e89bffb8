"""Word files: lists of words beside `config.yaml` that rules name. Mistakes are told at the place of the name.

Rules read no files: the contents are read with the config, travel with it to other machines, and are given to rules.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, TypeVar

from bot.config.problems import Problem, closest, short, written
from bot.config.yaml_tree import Fields, Items, Node, Scalar, child, read_tree, value_place, written_part
from rules.book import Book
from rules.rule import AnyRuleOf
from rules.text import normalise
from rules.words import HasWords, parse_words

MOST_WORDS = 10_000
MOST_BYTES = 1 << 20
KEY = "word_files"


B = TypeVar("B", bound=Book)


class Unreadable(NamedTuple):
    """Why a word file cannot be read, in Chinese without its full stop, and which one was perhaps meant."""

    reason: str
    meant: str = ""


def named_in(text: str) -> list[str]:
    """The word files that a config names, as far as it can be read."""
    if KEY not in text:
        return []
    root, _ = read_tree(text)
    rules = child(root, "rules")
    found = (_texts(child(rule, KEY)) for rule in (rules.nodes if isinstance(rules, Items) else ()))
    return list(dict.fromkeys(name for names in found for name in names))


def _texts(node: Node | None) -> Iterator[str]:
    if isinstance(node, Scalar) and node.text:
        yield node.text
    elif isinstance(node, Items):
        for each in node.nodes:
            yield from _texts(each) if not isinstance(each, Fields) else ()


# --- reading ----------------------------------------------------------------------------------------------------------


def read_word_files(folder: Path, names: Iterable[str]) -> dict[str, str | Unreadable]:
    """Each file's text, or why there is none."""
    return {name: _read(folder, name) for name in names}


def _read(folder: Path, name: str) -> str | Unreadable:
    path = folder / name
    if outside(name):
        return Unreadable(
            f"「{short(name)}」不在设置文件的文件夹里：请把词库放到它旁边，写相对路径，如 content/广告词.txt"
        )
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        reason = f"找不到词库文件「{short(name)}」（在 {path.parent.absolute()} 里找过）"
        return Unreadable(reason, closest(name, neighbours(folder, path.parent)))
    except (OSError, ValueError) as error:
        reason = str(error.strerror) if isinstance(error, OSError) else "名字不对"
        return Unreadable(f"打不开词库文件「{short(name)}」（{reason}）：请确认它是一个普通文件，并且有读取权限")
    if len(content) > MOST_BYTES:
        return Unreadable(f"词库文件「{short(name)}」太大，最多 1 MB")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        return Unreadable(
            f"词库文件「{short(name)}」第 {line} 行不是 UTF-8 编码的文字：请用「另存为」把文件保存成 UTF-8 编码"
        )


def outside(name: str) -> bool:
    """Whether this leads out of the config's folder."""
    return Path(name).is_absolute() or ".." in Path(name).parts


def neighbours(*folders: Path) -> list[str]:
    """The files in these folders, as they would be written: relative to the first, which is the config's."""
    found = (path for folder in folders if folder.is_dir() for path in folder.iterdir() if path.is_file())
    return sorted({path.relative_to(folders[0]).as_posix() for path in found})


# --- giving -----------------------------------------------------------------------------------------------------------


def with_words(book: B, root: Node, file: str, files: Mapping[str, str | Unreadable]) -> tuple[B, list[Problem]]:
    """The book with its rules' words; and what is wrong with their files, where they are named. With problems the book
    is not to be used.
    """
    rules, problems = list[AnyRuleOf](), list[Problem]()
    for place, rule in enumerate(book.rules):
        if not isinstance(rule, HasWords) or not rule.word_files:
            rules.append(rule)
            continue
        wrong = []
        for number, name in enumerate(rule.word_files):
            if found := _what_is_wrong(name, files.get(name, Unreadable(f"没有词库文件「{short(name)}」的内容"))):
                path = ("rules", place, KEY, number)
                at = value_place(root, path)
                wrong.append(Problem(file, *at, written(written_part(root, path)), short(name), *found))
        texts = {name: text for name in rule.word_files if isinstance(text := files.get(name), str)}
        rules.append(rule if wrong else rule.with_words(texts))
        problems += wrong
    return book.model_copy(update={"rules": tuple(rules)}), problems


def _what_is_wrong(name: str, text: str | Unreadable) -> Unreadable | None:
    if isinstance(text, Unreadable):
        return text
    words = parse_words(text)
    if not words:
        return Unreadable(f"词库文件「{short(name)}」里一个词也没有：一行写一个词，# 后面是说明")
    if len(words) > MOST_WORDS:
        return Unreadable(f"词库文件「{short(name)}」有 {len(words)} 个词，最多 {MOST_WORDS} 个：请分成几个文件")
    empty = next((word for word in words if not normalise(word)), "")
    if empty:
        return Unreadable(f"词库文件「{short(name)}」里的「{short(empty)}」只有符号，没有字，永远查不到")
    return None
