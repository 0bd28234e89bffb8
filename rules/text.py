"""Text as rules compare it: whatever is written differently and reads the same becomes equal.

`normalise` goes letter by letter: each becomes what stands for it, wherever it occurs. So a word that occurs in a text
also occurs after both are normalised, doing it twice changes nothing, the work is linear, and every place in the
result leads back to the letter it came from (`Plain`). In this order:

- NFKD and casefold: full-width, superscript, circled and squared forms, fancy alphabets; accents go with the marks;
- what is not a letter or a number is dropped: spaces, punctuation, symbols, emoji, format characters, marks;
- traditional → simplified by single letters (OpenCC, t2s): by phrases, the same word would differ with its neighbours;
- digits of any script and form, in Chinese too (一 壹 弌 幺 〇 …) → 0-9. 十 百 千 万 两 are no digits and stay. Usual
  words become odd ("1起", "大6") and still match, because words that are looked for are normalised as well; patterns
  are tried on the text as written, too (rules/patterns.py).
"""

import hashlib
import re
import unicodedata
from collections.abc import Callable
from functools import cached_property
from itertools import pairwise
from typing import Final

from opencc import OpenCC

from rules.value import Value

_SIMPLIFIED: Final = OpenCC("t2s")
_CHINESE_DIGITS = {
    letter: str(digit)
    for digit, letters in enumerate(
        ("零〇", "一壹弌幺", "二贰弍", "三叁弎", "四肆", "五伍", "六陆", "七柒", "八捌", "九玖")
    )
    for letter in letters
}
_EMOJI_LETTER = re.compile(r"(?:NEGATIVE (?:CIRCLED|SQUARED) LATIN CAPITAL|REGIONAL INDICATOR SYMBOL) LETTER ([A-Z])")


class Table(dict[int, str]):
    """What each letter becomes, for `str.translate`. Filled as letters turn up: an entry each, at most all of them."""

    def __init__(self, step: Callable[[str], str]) -> None:
        super().__init__()
        self._step = step

    def __missing__(self, code: int) -> str:
        before, text = "", chr(code)
        while text != before:  # until nothing changes any more: what a letter becomes is itself normal
            before, text = text, "".join(map(self._step, text))
        self[code] = text
        return text


def _step(letter: str) -> str:
    if letter.isascii():
        return letter.lower() if letter.isalnum() else ""
    if (decomposed := unicodedata.normalize("NFKD", letter).casefold()) != letter:
        return decomposed
    if letter in _CHINESE_DIGITS:
        return _CHINESE_DIGITS[letter]
    category = unicodedata.category(letter)
    if category[0] == "L":
        return str(_SIMPLIFIED.convert(letter))
    if category[0] == "N":
        number = unicodedata.numeric(letter, -1)
        return str(int(number)) if number >= 0 and number == int(number) else letter
    emoji = _EMOJI_LETTER.fullmatch(unicodedata.name(letter, ""))
    return emoji[1] if emoji else ""


_TABLE: Final = Table(_step)


def normalise(text: str) -> str:
    """The text with only what is read in it. Idempotent; linear in length; any text will do."""
    return text.translate(_TABLE)


def shape(plain: str) -> str:
    """A fingerprint of a normalised text: equal for equal texts, and tells nothing of them."""
    return hashlib.blake2b(plain.encode(), digest_size=12).hexdigest()


class Plain(Value):
    """A text as it was written, and normalised; the way back is only worked out when somebody asks for it."""

    written: str
    text: str

    @classmethod
    def of(cls, written: str) -> "Plain":
        return cls(written=written, text=normalise(written))

    @cached_property
    def sources(self) -> list[int]:
        """For each place in `text`: which letter of `written` it came from."""
        return sources(self.written, _TABLE)

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """The span of `written` that became `text[start:end]` (not empty), with the marks that belong to its end."""
        first, last = self.sources[start], self.sources[end - 1] + 1
        while last < len(self.written) and unicodedata.category(self.written[last]) in ("Mn", "Me", "Cf"):
            last += 1
        return first, last

    def as_written(self, start: int, end: int) -> str:
        """What `text[start:end]` looked like."""
        first, last = self.origin(start, end)
        return self.written[first:last]

    def gaps(self, start: int, end: int) -> list[str]:
        """What stood between the letters of `text[start:end]`, one for each pair of neighbours ("" = nothing)."""
        places = self.sources[start:end]
        return [self.written[here + 1 : there] for here, there in pairwise(places)]


def sources(written: str, table: Table) -> list[int]:
    """For each letter of `written.translate(table)`, the place it came from."""
    return [place for place, letter in enumerate(written) for _ in table[ord(letter)]]


_ENDS_A_CLAUSE = re.compile(r"[。！？!?；;，,、\n\r]")
_INSIDE_NUMBERS = re.compile(r"[.:：/]")


def reads_as_one(plain: Plain, start: int, end: int) -> bool:
    """Whether what was found reads as one: 「加，微，信」 does, 「下次再加，微信上说」 does not.

    Where a clause ends inside (or a `.`, `:` or `/` parts two digits), it is two things that happen to meet, unless
    every letter is set apart in the same way.
    """
    gaps = plain.gaps(start, end)
    if not any(gaps):
        return True
    if len(gaps) > 1 and all(gaps):
        return True
    letters = plain.text
    for place, gap in enumerate(gaps, start):
        if _ENDS_A_CLAUSE.search(gap):
            return False
        if letters[place].isdigit() and letters[place + 1].isdigit() and _INSIDE_NUMBERS.search(gap):
            return False
    return True
