"""What can be said of check-ins before anybody begins one: names that lead nowhere, rewards nobody gets, their cost.

Nothing here refuses a config: what is wrong for ever is refused when the config and its sheets are read.
"""

from collections.abc import Iterator
from typing import NamedTuple

from bot.config.problems import Kind, Problem, closest, short, written
from bot.config.yaml_tree import Node, Path, key_place, value_place, written_part
from rules.book import Book
from rules.checkins import Checkin
from rules.inducement import WHY, induces
from rules.money import say_money

ELSE = "else"


class _Finding(NamedTuple):
    path: Path
    reason: str
    value: str = ""
    meant: str = ""
    kind: Kind = "warning"


def checkin_findings(book: Book, root: Node, file: str) -> list[Problem]:
    """Warnings and notes about check-ins, in the order of the file."""
    found = [each for place, checkin in enumerate(book.checkins) for each in _of(book, checkin, place)]
    return [_problem(each, root, file) for each in [*found, *_cost(book)]]


def _problem(finding: _Finding, root: Node, file: str) -> Problem:
    path = written_part(root, finding.path)
    at = key_place(root, path) if len(path) < 3 else value_place(root, path)
    return Problem(file, *at, written(path), short(finding.value), finding.reason, finding.meant, finding.kind)


def _of(book: Book, checkin: Checkin, place: int) -> Iterator[_Finding]:
    here: Path = ("checkins", place)
    yield from _rewards(book, checkin, here)
    yield from _graduation(book, checkin, here)
    yield from _texts(checkin, here)
    if checkin.rewards and not (checkin.organiser and checkin.contact):
        reason = "有奖励的活动要写明主办方（organiser）和联系方式（contact），页面上的规则和隐私说明会用到"
        yield _Finding((*here, "organiser" if not checkin.organiser else "contact"), reason)


# --- rewards ----------------------------------------------------------------------------------------------------------


def _rewards(book: Book, checkin: Checkin, here: Path) -> Iterator[_Finding]:
    most = checkin.length if checkin.count == "consecutive" else checkin.lasts
    for number, reward in checkin.rewards.items():
        at: Path = (*here, "rewards", number)
        if not 1 <= number <= min(most, checkin.length):
            yield _Finding(at, f"打满 {number} 天的奖励谁也拿不到：一共只有 {checkin.length} 天", str(number))
        elif checkin.plan[number - 1].add_staff:
            reason = (
                f"第 {number} 天的任务是加导购，这天又有奖励：看起来就是加人送东西，微信会当成诱导。"
                "请把奖励换一天，或者把加导购换到没有奖励的那天"
            )
            yield _Finding(at, reason, str(number))
        if reward.ticket and book.draw(reward.ticket) is None:
            names = [each.name for each in book.draws]
            yield _Finding(
                (*at, "ticket"),
                f"没有叫「{short(reward.ticket)}」的抽奖",
                reward.ticket,
                closest(reward.ticket, names),
            )
        if reward.money is not None and book.budget is None:
            yield _Finding((*at, "money"), "发红包要先写预算（budget），不然一分也发不出去")
        elif reward.money is not None and reward.stock is None:
            yield _Finding(
                (*at, "money"), "没有写 stock（一共几份）：来多少人就要多少钱，预算用完就发不出来", kind="note"
            )
        if reward.coupon and not (reward.what and reward.value):
            reason = "券要写明是什么（what）、值多少钱（value）：客户看到的规则和成本都用它"
            yield _Finding((*at, "coupon"), reason, reward.coupon)


def _cost(book: Book) -> Iterator[_Finding]:
    """What the red packets of all check-ins come to, against a month's budget."""
    parts = [
        (f"{checkin.name} 满 {days} 天 {reward.stock} 份", reward.money * reward.stock)
        for checkin in book.checkins
        for days, reward in checkin.rewards.items()
        if reward.money and reward.stock
    ]
    total = sum(fen for _, fen in parts)
    if book.budget is not None and total > book.budget.cap:
        said = "，".join(f"{text} {say_money(fen)}" for text, fen in parts)
        reason = f"打卡的红包全发完要 {say_money(total)}（{said}），预算一个月只有 {book.budget.say()}：用完就发不出来"
        yield _Finding(("budget",), reason)


# --- graduation -------------------------------------------------------------------------------------------------------


def _graduation(book: Book, checkin: Checkin, here: Path) -> Iterator[_Finding]:
    doors = {each.name: each for each in book.entrances}
    given = {tag for day in checkin.plan if day.question for tag in day.question.options.values() if tag}
    if checkin.graduate_tag:
        given.add(checkin.graduate_tag)
    for tag, name in checkin.graduate_to.items():
        at: Path = (*here, "graduate_to", tag)
        if name not in doors:
            yield _Finding(at, f"没有叫「{short(name)}」的入口", name, closest(name, list(doors)))
        elif set(checkin.to) & set(doors[name].kinds):
            yield _Finding(at, f"入口「{name}」进的还是「{doors[name].groups}」：毕业的人应当进别的一类群", name)
        if tag not in {ELSE, *given}:
            reason = f"没有一道题会打「{short(tag)}」这个标签，所以不会有人因为它进「{short(name)}」"
            yield _Finding(at, reason, tag, closest(tag, sorted(given)), "note")
    if checkin.graduate_to and ELSE not in checkin.graduate_to:
        reason = "没有写 else：没有这些标签的人，毕业以后没有群可去"
        yield _Finding((*here, "graduate_to"), reason)


# --- texts ------------------------------------------------------------------------------------------------------------


def _texts(checkin: Checkin, here: Path) -> Iterator[_Finding]:
    texts: list[tuple[Path, str]] = [((*here, "farewell"), checkin.farewell)]
    if not checkin.in_sheet:  # a sheet is refused by its cell
        for number, day in enumerate(checkin.plan):
            texts += [((*here, "days", number, key), getattr(day, key)) for key in ("theme", "task", "content")]
    for path, text in texts:
        if said := induces(text):
            yield _Finding(path, f"「{said}」像是在诱导分享：不能因为转发、邀请给好处，{WHY}。请换个说法", said)
