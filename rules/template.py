"""Texts with variables: Jinja2 with nearly everything taken away, so that no text can do harm or take long.

What a template may be made of is a list (`_ALLOWED`); all else is refused when it is read. There are no loops, no
attributes, no indexes, no assignments, no multiplication and no filters that could make much out of little: what comes
out grows with what is written, and rendering ends. The sandbox below is the second lock on the same door.
"""

from collections.abc import Callable, Mapping
from datetime import date
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, Literal, cast, get_args

from jinja2 import StrictUndefined, nodes
from jinja2.exceptions import SecurityError, TemplateSyntaxError, UndefinedError
from jinja2.sandbox import SandboxedEnvironment

MOST_SOURCE = 20_000  # characters
MOST_NODES = 400
DEEPEST = 20

Variable = Literal["群名", "店名", "种类", "日期", "星期", "年", "月", "日", "时间", "期数"]
VARIABLES: tuple[Variable, ...] = get_args(Variable)
OF_GROUP: frozenset[Variable] = frozenset({"群名", "店名", "种类"})
"""These differ from group to group: a text with them costs the owner a tap for each."""

_ENGLISH: Mapping[str, Variable] = {
    "group": "群名",
    "shop": "店名",
    "kind": "种类",
    "date": "日期",
    "weekday": "星期",
    "year": "年",
    "month": "月",
    "day": "日",
    "time": "时间",
    "number": "期数",
}
_DAYS_TO = ("还有几天", "days_to")
_FILTERS = ("trim", "upper", "lower", "default", "d")
_WEEKDAYS = "一二三四五六日"

_ALLOWED: tuple[type[nodes.Node], ...] = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Const,
    nodes.If,
    nodes.CondExpr,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Add,
    nodes.Sub,
    nodes.Neg,
    nodes.Concat,
    nodes.Call,
    nodes.Filter,
    nodes.Test,
)
_CALLED: Mapping[type[nodes.Node], str] = {
    nodes.For: "循环（for）",
    nodes.Getattr: "小数点取属性",
    nodes.Getitem: "方括号取值",
    nodes.Assign: "赋值（set）",
    nodes.AssignBlock: "赋值（set）",
    nodes.Macro: "宏（macro）",
    nodes.CallBlock: "宏（call）",
    nodes.Include: "引入别的文件（include）",
    nodes.Import: "引入别的文件（import）",
    nodes.FromImport: "引入别的文件（import）",
    nodes.Extends: "继承（extends）",
    nodes.Block: "区块（block）",
    nodes.Mul: "乘法",
    nodes.Pow: "乘方",
    nodes.Div: "除法",
    nodes.FloorDiv: "除法",
    nodes.Mod: "百分号",
    nodes.List: "列表",
    nodes.Tuple: "逗号隔开的几个值",
    nodes.Dict: "字典",
}


class TemplateError(Exception):
    """A text that cannot be rendered, in Chinese. `line`: counted from 1 within the text."""

    def __init__(self, reason: str, line: int = 1) -> None:
        self.line = line
        super().__init__(reason)

    @property
    def place(self) -> str:
        """`第 2 行：`, where there is more than one line to look at."""
        return f"文字第 {self.line} 行：" if self.line > 1 else ""


class Compiled:
    """A text that was found harmless. `variables`: what it asks for; `events`: whose days it counts, and in which line.

    `least`: bytes that it has whatever is filled in.
    """

    def __init__(self, source: str) -> None:
        tree = _read(source)
        self.variables: frozenset[Variable] = frozenset(_variables(tree))
        self.events: Mapping[str, int] = {
            cast("nodes.Const", call.args[0]).value: call.lineno for call in tree.find_all(nodes.Call)
        }
        plain = (each for part in tree.body if isinstance(part, nodes.Output) for each in part.nodes)
        self.least = sum(len(each.data.encode()) for each in plain if isinstance(each, nodes.TemplateData))
        self._template = _SANDBOX.from_string(tree)

    def render(self, given: Mapping[Variable, Any], events: Mapping[str, int], *, most: int) -> str:
        """The text with its variables filled in, at most so many bytes. `events`: name → days to it.

        Raises TemplateError.
        """
        values: dict[str, Any] = dict(given.items())
        values |= {name: given[meant] for name, meant in _ENGLISH.items() if meant in given}
        values |= dict.fromkeys(_DAYS_TO, self._days_to(events))
        parts, size = list[str](), 0
        try:
            for part in self._template.generate(values):
                size += len(part.encode())
                parts.append(part)
        except TemplateError:
            raise
        except (SecurityError, UndefinedError, TypeError, ValueError, ArithmeticError) as error:
            raise TemplateError(f"变量填不进去（{error}）") from None
        if size > most:
            raise TemplateError(f"太长：最多 {most:,} 字节（一个汉字 3 字节），填好变量以后有 {size:,} 字节")
        return "".join(parts)

    def _days_to(self, events: Mapping[str, int]) -> Callable[[str], int]:
        def days_to(name: str) -> int:
            line = self.events.get(name, 1)
            if name not in events:
                raise TemplateError(f"不知道「{name}」是哪一天：请在 posting.events 里写上", line)
            if events[name] < 0:
                raise TemplateError(f"「{name}」已经过去 {-events[name]} 天了", line)
            return events[name]

        return days_to


@lru_cache(maxsize=2_000)
def compiled(source: str) -> Compiled:
    """Raises TemplateError where the text may not be what it is."""
    return Compiled(source)


def say_date(day: date) -> str:
    return f"{day.month}月{day.day}日"


def say_weekday(day: date) -> str:
    return f"周{_WEEKDAYS[day.weekday()]}"


# --- the sandbox ------------------------------------------------------------------------------------------------------


class _Sandbox(SandboxedEnvironment):
    def getattr(self, obj: Any, attribute: str) -> Any:
        raise SecurityError(f"{attribute!r} of a {type(obj).__name__}: attributes are not for templates")

    def getitem(self, obj: Any, argument: Any) -> Any:
        raise SecurityError(f"{argument!r} of a {type(obj).__name__}: indexes are not for templates")


def _make_sandbox() -> _Sandbox:
    sandbox = _Sandbox(undefined=StrictUndefined, optimized=False, autoescape=False, keep_trailing_newline=True)
    sandbox.globals.clear()
    sandbox.filters = {name: sandbox.filters[name] for name in _FILTERS}
    sandbox.tests = {name: sandbox.tests[name] for name in ("defined",)}
    return sandbox


_SANDBOX = _make_sandbox()


# --- what may be written ----------------------------------------------------------------------------------------------


def _read(source: str) -> nodes.Template:
    if len(source) > MOST_SOURCE:
        raise TemplateError(f"太长：最多 {MOST_SOURCE:,} 个字")
    try:
        tree = _SANDBOX.parse(source)
    except TemplateSyntaxError as error:
        raise TemplateError(_syntax(error), error.lineno) from None
    except (RecursionError, MemoryError, OverflowError, ValueError):
        raise TemplateError("太复杂：括号或条件嵌套得太深") from None
    stack: list[tuple[nodes.Node, int]] = [(tree, 0)]
    seen = 0
    while stack:
        node, depth = stack.pop()
        seen += 1
        if depth > DEEPEST or seen > MOST_NODES:
            raise TemplateError("太复杂：变量和条件太多，或者嵌套得太深", node.lineno)
        _may_stand(node)
        children = [(child, depth + 1) for child in node.iter_child_nodes() if not _is_function(node, child)]
        stack += reversed(children)  # so that the first mistake is told first
    return tree


def _is_function(node: nodes.Node, child: nodes.Node) -> bool:
    return isinstance(node, nodes.Call) and child is node.node


def _may_stand(node: nodes.Node) -> None:
    """Raises TemplateError where this has no place in a text."""
    if not isinstance(node, _ALLOWED):
        what = _CALLED.get(type(node), f"「{type(node).__name__}」这种写法")
        raise TemplateError(f"文字里不能用{what}，只能用变量和「如果」（if）", node.lineno)
    if isinstance(node, nodes.Name):
        _known(node.name, (*VARIABLES, *_ENGLISH), node.lineno)
    if isinstance(node, nodes.Filter) and node.name not in _FILTERS:
        raise TemplateError(f"文字里不能用「|{node.name}」", node.lineno)
    if isinstance(node, nodes.Test) and node.name != "defined":
        raise TemplateError(f"文字里不能用「is {node.name}」", node.lineno)
    if isinstance(node, nodes.Call):
        _may_be_called(node)


def _may_be_called(call: nodes.Call) -> None:
    name = call.node.name if isinstance(call.node, nodes.Name) else ""
    if name not in _DAYS_TO:
        raise TemplateError(f"文字里只能用 {_DAYS_TO[0]}('…') 这一个函数", call.lineno)
    args = call.args
    plain = len(args) == 1 and isinstance(args[0], nodes.Const) and isinstance(args[0].value, str)
    if not plain or call.kwargs or call.dyn_args or call.dyn_kwargs:
        raise TemplateError(f"请写成 {_DAYS_TO[0]}('双十二')，引号里是 posting.events 里的名字", call.lineno)


def _known(name: str, names: tuple[str, ...], line: int) -> None:
    if name in names:
        return
    meant = get_close_matches(name, names, n=1, cutoff=0.5)
    guess = f"您是不是想写「{meant[0]}」" if meant else f"可以写 {'、'.join(VARIABLES)}"
    raise TemplateError(f"不认识变量「{name}」：{guess}", line)


def _variables(tree: nodes.Template) -> list[Variable]:
    names = {node.name for node in tree.find_all(nodes.Name)}
    return [each for each in VARIABLES if each in names or any(_ENGLISH.get(name) == each for name in names)]


def _syntax(error: TemplateSyntaxError) -> str:
    said = error.message or ""
    if "endfor" in said:
        return "文字里不能用循环（for），只能用变量和「如果」（if）"
    if "unexpected end of template" in said or "Unexpected end of template" in said:
        return "「如果」没有写完：每个 {% if … %} 都要有 {% endif %}"
    if "unknown tag" in said:
        return f"不认识 {{% … %}} 里的写法：只能用 if、elif、else、endif（{said}）"
    return f"变量的写法不对：应当是 {{{{群名}}}} 这样，两层花括号要配对（{said}）"
