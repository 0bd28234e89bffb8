"""What a config says that can be used, but that its writer hardly meant: names that match nothing, and the like."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from itertools import combinations
from typing import NamedTuple

from bot.config.patterns import example, is_pattern
from bot.config.problems import Kind, Problem, closest, short, written
from bot.config.walk import Setting, walk
from bot.config.yaml_tree import Node, Path, key_place, value_place, written_part
from rules.book import Book
from rules.posts import STAFF, PostGroup
from rules.rule import EVERYWHERE

_OTHER = "other"


class Known(NamedTuple):
    """What a database knows of: names of customer groups, our staff as (userid, name), the groups as posts see them.

    `codes`: sheet of coupon codes → how many nobody has.
    """

    groups: Sequence[str]
    staff: Sequence[tuple[str, str]]
    places: Sequence[PostGroup] = ()
    codes: Mapping[str, int] | None = None


class _Finding(NamedTuple):
    path: Path
    reason: str
    value: str = ""
    meant: str = ""
    kind: Kind = "warning"
    at_name: bool = False


def warnings(book: Book, root: Node, file: str, known: Known | None = None) -> list[Problem]:
    """Warnings and notes in the order of the file. `known`: compare with these groups and people, too."""
    settings = list(walk(book))
    findings = [
        *_nothing_to_do(book),
        *_kinds(book),
        *_kinds_that_overlap(book),
        *_rules(book),
        *_waits(book),
        *_webhook(book),
    ]
    findings += _full_width_stars(settings)
    findings += _groups_that_are_no_kind(book, settings)
    if known and known.groups:
        findings += [*_patterns_without_groups(settings, known.groups), *_groups_of_two_shops(book, known.groups)]
    if known and known.staff:
        findings += _people(settings, known.staff)
    problems = [_problem(finding, root, file) for finding in findings]
    return sorted(dict.fromkeys(problems), key=lambda problem: (problem.line, problem.column))


def _problem(finding: _Finding, root: Node, file: str) -> Problem:
    path = written_part(root, finding.path)
    line, column = (key_place if finding.at_name else value_place)(root, path) if path else (0, 0)
    return Problem(file, line, column, written(path), short(finding.value), finding.reason, finding.meant, finding.kind)


def _nothing_to_do(book: Book) -> Iterator[_Finding]:
    if not book.rules:
        yield _Finding((), "没有写群规（rules），机器人只记名单，不管任何人", kind="note")
    if not book.managers:
        yield _Finding((), "没有写负责人（managers），没人处理的事就没有人知道", kind="note")


def _kinds(book: Book) -> Iterator[_Finding]:
    for kind in book.groups:
        if kind in EVERYWHERE:
            yield _Finding(("groups", kind), f"「{kind}」是全部群的意思，不能当种类名，请换一个", kind, at_name=True)
        if kind == _OTHER:
            reason = "都不合的群本来就叫「other」，再写一类 other 会混在一起，请换一个名字"
            yield _Finding(("groups", kind), reason, kind, at_name=True)


def _kinds_that_overlap(book: Book) -> Iterator[_Finding]:
    """Patterns that never get a group; names that two kinds claim, neither being a special case of the other."""
    for (first, before), (second, after) in combinations(book.groups.items(), 2):
        shared: list[tuple[int, str]] = []
        for place, pattern in enumerate(after):
            if hidden := [each for each in before if example(pattern, each, fits_other=False) is None]:
                reason = f"合「{pattern}」的群名都合前面 {first} 的「{hidden[0]}」，先写的先算，所以轮不到 {second}"
                yield _Finding(("groups", second, place), reason, pattern)
            else:
                names = [each for each in before if example(each, pattern, fits_other=False) is not None]
                shared += [(place, name) for each in names if (name := example(pattern, each, fits_other=True))]
        if shared:
            place, name = shared[0]
            reason = f"像「{name}」这样的群名，{first} 和 {second} 两类都合，先写的先算，归 {first}"
            yield _Finding(("groups", second, place), reason, after[place], kind="note")


def _groups_that_are_no_kind(book: Book, settings: list[Setting]) -> Iterator[_Finding]:
    """Where kinds may be written: names that are neither a kind nor a pattern."""
    kinds = [*book.groups, _OTHER, *EVERYWHERE]
    for setting in settings:
        if "一类群" not in setting.description:
            continue
        allowed = [*kinds, *_other_names(book)] if "门店名" in setting.description else kinds
        for path, name in setting.names():
            if name not in allowed and not is_pattern(name):
                reason = f"「{short(name)}」不是一类群的名字，也没有通配符「*」，只会管正好叫这个名字的群"
                yield _Finding(path, reason, name, closest(name, allowed))


def _other_names(book: Book) -> Iterator[str]:
    """What may be written besides kinds where shops may be."""
    yield from (*STAFF, *book.shops, *book.tags, *(each.name for each in book.entrances))


def _full_width_stars(settings: list[Setting]) -> Iterator[_Finding]:
    for setting in settings:
        if "通配写法" in setting.description:
            for path, name in setting.names():
                if "＊" in name:
                    yield _Finding(path, "全角的「＊」不是通配符", name, name.replace("＊", "*"))


def _rules(book: Book) -> Iterator[_Finding]:
    for place, rule in enumerate(book.rules):
        if {*EVERYWHERE} & {*rule.allow_groups} or {*rule.groups} <= {*rule.allow_groups}:
            reason = "groups 写的群都在 allow_groups 里排除了，这条规则什么群也不管"
            yield _Finding(("rules", place, "allow_groups"), reason, "、".join(rule.allow_groups))


def _waits(book: Book) -> Iterator[_Finding]:
    if book.removal.escalate_after < book.removal.remind_after:
        reason = "比 remind_after 还短，群主还没被提醒就先告诉了负责人"
        yield _Finding(("removal", "escalate_after"), f"escalate_after {reason}")


def _webhook(book: Book) -> Iterator[_Finding]:
    if book.removal.webhook is not None:
        reason = (
            "交给程序移人有风险：用机器人软件（RPA、协议挂机）操作企业微信账号违反平台规则，账号会被封。"
            "请只接公司自己负责的程序；没移掉的人，机器人照样会请群主"
        )
        yield _Finding(("removal", "webhook"), reason, at_name=True)


# --- compared with what a database knows ------------------------------------------------------------------------------


def _patterns_without_groups(settings: list[Setting], groups: Sequence[str]) -> Iterator[_Finding]:
    for setting in settings:
        if "群名的通配写法" not in setting.description:
            continue
        kinds_too = "一类群" in setting.description
        for path, name in setting.names():
            if kinds_too and not is_pattern(name):
                continue
            if not any(fnmatchcase(group, name) for group in groups):
                yield _Finding(path, f"现有的 {len(groups)} 个群里，没有一个群名合「{short(name)}」", name)


def _groups_of_two_shops(book: Book, groups: Sequence[str]) -> Iterator[_Finding]:
    for (first, one), (second, other) in combinations(book.shops.items(), 2):
        shared = [name for name in groups if _fits(name, one.groups) and _fits(name, other.groups)]
        if shared:
            reason = f"「{shared[0]}」等 {len(shared)} 个群，{first} 和 {second} 两家店都合，先写的先算，归 {first}"
            yield _Finding(("shops", second, "groups"), reason, "、".join(other.groups))


def _fits(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _people(settings: list[Setting], staff: Sequence[tuple[str, str]]) -> Iterator[_Finding]:
    userids = {userid for userid, _ in staff}
    bearers = Counter(name for _, name in staff if name)
    for setting in settings:
        if "姓名或 userid" not in setting.description:
            continue
        for path, who in setting.names():
            if who in userids or bearers[who] == 1:
                continue
            if bearers[who]:
                same = "、".join(sorted(userid for userid, name in staff if name == who))
                yield _Finding(path, f"有 {bearers[who]} 位同事叫「{who}」（{same}），分不清是谁，请改写 userid", who)
            else:
                reason = f"机器人认识的 {len(staff)} 位同事里没有「{short(who)}」：请核对，或改写 userid"
                yield _Finding(path, reason, who, closest(who, [*bearers, *userids]))
