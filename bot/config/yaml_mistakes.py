"""The slips that managers make in YAML: how to recognise and mend them, and what to say of what cannot be mended."""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

_AS_KEY = r"[ ]*(?:- +)*[^\s#'\"\[\]{}|>：:,，][^\s：:]*"
_FULL_WIDTH_COLON = re.compile(rf"({_AS_KEY})：\s*")
_NO_SPACE = re.compile(rf"({_AS_KEY}):(?=[^\s:/])")
_TABS = re.compile(r"[ ]*\t[ \t]*")
_COMMA_AFTER_VALUE = re.compile(r"(?<=[\"'\]}])\s*(，)\s*")
_WIDE_BRACKETS = re.compile("([［］｛｝])")
_SYMBOL = re.compile(r"(?<=[\s\[{,])([@`%][^\s,\[\]{}\"']*)")
_FARTHEST_BACK = 5  # candidates tried for one error

_FULL_WIDTH = "这里用了全角冒号「：」，请改成英文冒号加一个空格「: 」"
_SPACE = "英文冒号后面要有一个空格"
_COMMA = "这里用了全角逗号「，」，请改成英文逗号加一个空格「, 」"
_BRACKET = "这里用了全角括号，请改成英文的 [ ] 或 { }"
_TAB = "缩进用了制表符（Tab），请改成空格"

_NARROW = str.maketrans("［］｛｝", "[]{}")

TOO_DEEP = "nested too deeply"  # our own word beside the parser's
CHINESE_QUOTES = "这里用了中文引号，请改成英文引号 \" 或 '"
WIDE_BRACKETS = _BRACKET
DASH = "「-」后面要有一个空格"
MORE_LINES = "这段文字写到了下一行：列表请把每一项都写成「- 」开头、另起一行；真是一段长文字的话，请加引号或者用「|」"
NUMBER_SIGN = "「#」后面的文字都算注释，所以这里什么也没有写：请给整段文字加引号"
AFTER_QUOTES = "引号后面不能再写别的：多半是这一行或前面几行的引号没有配对"


class Slip(NamedTuple):
    """A line (from 0) that looks wrong, the column of the mistake (from 0), and all lines as they were meant."""

    line: int
    column: int
    reason: str
    mended: list[str]


def slips(lines: list[str], stopped: int) -> Iterator[Slip]:
    """What may have stopped the parser at line `stopped` (from 0), the nearest first, going back from there."""
    tabbed = [number for number, line in enumerate(lines[: stopped + 1]) if _TABS.match(line)]
    if tabbed:
        first = tabbed[0]
        yield Slip(first, lines[first].index("\t"), _TAB, [_without_tabs(line) for line in lines])
    yield from _slips_within(lines, min(stopped, len(lines) - 1))
    tried = 0
    for number in range(min(stopped, len(lines) - 1), -1, -1):
        for pattern, reason in ((_FULL_WIDTH_COLON, _FULL_WIDTH), (_NO_SPACE, _SPACE)):
            found = pattern.match(lines[number])
            if found and tried < _FARTHEST_BACK:
                tried += 1
                end = "\n" if lines[number][found.end() - 1 : found.end()] == "\n" else ""
                mended = f"{found[1]}: {end}{lines[number][found.end() :]}"
                yield Slip(number, found.end(1), reason, [*lines[:number], mended, *lines[number + 1 :]])


def _slips_within(lines: list[str], number: int) -> Iterator[Slip]:
    """Those that may stand anywhere in a line; all of one sort are mended at once."""
    line = lines[number] if lines else ""

    def mended(found: re.Match[str], reason: str, meant: Callable[[re.Match[str]], str]) -> Slip:
        whole = found.re.sub(meant, line)
        return Slip(number, found.start(1), reason, [*lines[:number], whole, *lines[number + 1 :]])

    if found := _COMMA_AFTER_VALUE.search(line):
        yield mended(found, _COMMA, lambda _: ", ")
    if found := _WIDE_BRACKETS.search(line):
        yield mended(found, _BRACKET, lambda each: each[1].translate(_NARROW))
    if found := _SYMBOL.search(line):
        reason = f'文字不能以「{found[1][0]}」开头，请加引号，写成 "{found[1]}"'
        yield mended(found, reason, lambda each: f'"{each[1]}"')


def _without_tabs(line: str) -> str:
    indent = _TABS.match(line)
    return indent[0].replace("\t", "  ") + line[indent.end() :] if indent else line


def about_colon(text: str) -> str:
    """What to say of text that stands where names and values were expected, if a colon is to blame."""
    if "：" in text:
        return _FULL_WIDTH
    return _SPACE if re.search(r":\S", text) else ""


_EXPLAINED = [  # (words of the parser, of its context) → what to say, and whether the place to show is where it began
    (TOO_DEEP, "", "嵌套太深了，多半是括号或「- 」多写了", False),
    ("could not find expected ':'", "", "这一行缺少冒号：应当写成「名称: 值」，英文冒号后面有一个空格", True),
    (
        "mapping values are not allowed",
        "",
        "这里不该再有冒号：多半是缩进不对；如果冒号是文字的一部分，请给整段文字加引号",
        False,
    ),
    ("sequence entries are not allowed", "", "列表的「- 」不能写在这里：请另起一行，并检查缩进", False),
    ("cannot start any token", "", "文字不能以这个符号开头，请给整段文字加引号", False),
    ("found unexpected", "quoted scalar", "引号没有配对：从这里开始的引号没有结束", True),
    ("escape", "double-quoted", "双引号里的反斜杠「\\」写法不对，请改用单引号", False),
    ("", "flow sequence", "方括号没有配对，或者少了逗号", True),
    ("", "flow mapping", "花括号没有配对，或者少了逗号", True),
    ("", "an alias", '以星号开头的文字要加引号，例如 "*静安*"', True),
    ("", "block scalar", "「|」或「>」后面不能再写别的，文字请另起一行并缩进", False),
    ("expected <block end>", "", "缩进不对：这一行没有和前面同级的内容对齐", False),
    ("<document start>", "", "缩进不对：这一行没有和前面同级的内容对齐", False),
]


def explain(problem: str, context: str) -> tuple[str, bool]:
    """The Chinese reason for a parser's words, and whether to point at where the construct began."""
    for words, around, reason, at_start in _EXPLAINED:
        if words in problem and around in context:
            return reason, at_start
    return "这里的写法不对，请检查缩进、冒号和引号", False
