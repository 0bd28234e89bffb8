"""Lists of words that are looked for in texts: 10,000 of them cost hardly more than ten (Aho-Corasick)."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Annotated, NamedTuple, Self

from ahocorasick_rs import AhoCorasick
from pydantic import AfterValidator, Field, PrivateAttr
from pydantic_core import PydanticCustomError

from rules.rule import Names, Settings
from rules.text import Plain, normalise, reads_as_one


class Found(NamedTuple):
    """`word`: as it stands in the list; `written`: as it stands in the text."""

    word: str
    written: str

    @property
    def says(self) -> str:
        """「加v信」, and where the text writes it in another way: 「加 Ｖ 信」（加v信）."""
        return f"「{self.written}」" if self.written == self.word else f"「{self.written}」（{self.word}）"


class WordList:
    """Words, normalised once."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = {plain: word for word in words if (plain := normalise(word))}
        self._places = list(self._words.values())
        self._search = AhoCorasick(list(self._words), store_patterns=False)

    def __len__(self) -> int:
        return len(self._words)

    def find(self, written: str, text: str) -> Found | None:
        """The first word in a text, the longest of those that begin there. `text`: `written`, normalised."""
        hits = self._search.find_matches_as_indexes(text, overlapping=True)
        if not hits:
            return None
        plain = Plain(written=written, text=text)
        for number, start, end in _in_order(hits):
            if _stands_alone(plain, start, end) and reads_as_one(plain, start, end):
                return Found(self._places[number], plain.as_written(start, end))
        return None


def _in_order(hits: list[tuple[int, int, int]]) -> Iterator[tuple[int, int, int]]:
    """By place, the longest first. Most often the first one is it, and the others need not be sorted."""
    yield min(hits, key=_order)
    yield from sorted(hits, key=_order)[1:]


def _order(hit: tuple[int, int, int]) -> tuple[int, int]:
    return hit[1], -hit[2]


def _stands_alone(plain: Plain, start: int, end: int) -> bool:
    """Whether the match does not begin or end inside a Latin word or a number: "low" is not in "yellow"."""
    return not (_grown_together(plain, start - 1, start) or _grown_together(plain, end - 1, end))


def _grown_together(plain: Plain, here: int, there: int) -> bool:
    if here < 0 or there >= len(plain.text) or plain.sources[there] - plain.sources[here] > 1:
        return False
    one, other = plain.text[here], plain.text[there]
    if one.isdigit() and other.isdigit():  # Chinese digits are words as well: 「星期三一起」
        return plain.written[plain.sources[here]].isdigit() and plain.written[plain.sources[there]].isdigit()
    return one.isascii() and one.isalpha() and other.isascii() and other.isalpha()


def parse_words(text: str) -> tuple[str, ...]:
    """A word file: a word per line; empty lines, and what follows a `#` at the start or after a space, do not count."""
    lines = (_without_remark(line).strip() for line in text.splitlines())
    return tuple(dict.fromkeys(line for line in lines if line))


def _without_remark(line: str) -> str:
    if line.lstrip().startswith("#"):
        return ""
    return line.split(" #", maxsplit=1)[0]


def _can_be_found(words: tuple[str, ...]) -> tuple[str, ...]:
    for place, word in enumerate(words):
        if not normalise(word):
            reason = "「{word}」只有符号，没有字：查的时候空格和符号都不算，所以永远查不到"
            raise PydanticCustomError("no_letters", reason, {"word": word, "at": (place,)})
    return words


Words = Annotated[Names, AfterValidator(_can_be_found)]
"""Words to be looked for."""


class HasWords(Settings):
    """Settings of a rule that looks for words. Whoever reads the config reads its files: `with_words`."""

    words: Words = Field(
        default=(), description="要找的词：一个或一列。大小写、繁简体、全角半角、夹在字中间的空格和符号都不用管。"
    )
    word_files: Names = Field(
        default=(),
        description="词库文件：一行一个词，# 后面是说明，UTF-8 编码，最多一万个词。"
        "写相对这份设置的路径，如 content/广告词.txt。",
    )
    _of_files: Mapping[str, tuple[str, ...]] = PrivateAttr(default={})

    def with_words(self, files: Mapping[str, str]) -> Self:
        """The same rule with the words of its files. `files`: name as in `word_files` → the file's text."""
        copy = self.model_copy()
        copy._of_files = {name: parse_words(files[name]) for name in self.word_files}  # our own copy
        copy.__dict__.pop("word_list", None)
        return copy

    @cached_property
    def word_list(self) -> WordList:
        """All words, compiled. LookupError where the words of a file were never given."""
        if missing := [name for name in self.word_files if name not in self._of_files]:
            raise LookupError(f"the words of {missing} were not given: see with_words")
        return WordList([*self.words, *(word for name in self.word_files for word in self._of_files[name])])
