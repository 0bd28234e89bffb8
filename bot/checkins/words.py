"""`steward checkin NAME` on 80 columns, in Chinese."""

from rich.console import Console
from rich.text import Text

from bot import say
from rules.checkin_report import STATES, Cohort, Overview, say_cohort, say_share, say_stopped
from rules.money import say_money

REWARDS = {"coupon": "券", "ticket": "抽奖机会", "money": "红包", "points": "积分"}
GIVEN = {"owed": "还没发", "handed": "已发", "paid": "已到账", "none": "没有了", "void": "作废"}
WIDE = 30  # characters of the longest bar
SHOWN = 8  # cohorts, the newest


def show(found: Overview, console: Console) -> None:
    """Print how far everybody went, what they answered and what it cost."""
    total = found.total
    say.heading(console, f"{found.title}  {found.name}", f"{found.length} 天，一共 {total.began} 人开始")
    if not total.began:
        say.line(console, "还没有人开始。新人进了写好的群，就从那天算第 1 天。")
        return
    say.title(console, "每一天有多少人打卡")
    say.rows(console, _bars(total))
    say.title(console, "走到哪里了")
    say.rows(console, [(word, f"{number} 人", say_share(number, total.began)) for word, number in _states(total)])
    if found.stopped:
        say.title(console, "没走完的，停在哪里")
        say.rows(console, [(say_stopped(after), f"{number} 人") for after, number in found.stopped.items()])
        say.rows(console, [(f"{number} 人", because) for because, number in list(found.why.items())[:5]])
    _show_cohorts(found, console)
    _show_answers(found, console)
    _show_given(found, console)
    say.title(console, "可触达")
    share = say_share(found.reachable, total.began)
    say.rows(console, [(share, f"{found.reachable} 人加了导购：可以 1:1 联系，标签会同步到企业微信")])


def _states(cohort: Cohort) -> list[tuple[str, int]]:
    numbers = (cohort.going, cohort.graduated, cohort.dropped, cohort.opted_out)
    return list(zip(STATES.values(), numbers, strict=True))


def _bars(cohort: Cohort) -> list[tuple[str | Text, ...]]:
    most = max((day.due for day in cohort.days), default=0) or 1
    rows: list[tuple[str | Text, ...]] = []
    for day in cohort.days:
        done, due = round(WIDE * day.done / most), round(WIDE * day.due / most)
        said = f"{day.done}/{day.due}  {say_share(day.done, day.due)}" + (f"，请假 {day.leave}" if day.leave else "")
        rows.append((f"第 {day.number} 天", Text("█" * done + "░" * (due - done)), said))
    return rows


def _show_cohorts(found: Overview, console: Console) -> None:
    say.title(console, "每一期")
    shown = found.cohorts[-SHOWN:]
    say.rows(
        console,
        [
            (
                say_cohort(each),
                f"{each.began} 人",
                f"打卡 {' '.join(str(day.done) for day in each.days)}",
                "，".join(f"{word} {number}" for word, number in _states(each) if number),
            )
            for each in shown
        ],
    )
    if len(found.cohorts) > SHOWN:
        say.line(console, f"  还有更早的 {len(found.cohorts) - SHOWN} 期，--csv 能看到全部。", "dim")


def _show_answers(found: Overview, console: Console) -> None:
    for each in found.answers:
        of = sum(each.options.values())
        say.title(console, f"第 {each.theme} 天：{each.text}（{of} 人回答）")
        say.rows(console, [(option, f"{number} 人", say_share(number, of)) for option, number in each.options.items()])


def _show_given(found: Overview, console: Console) -> None:
    if not found.given:
        return
    say.title(console, f"奖励，一共花了 {say_money(found.cost)}")
    say.rows(
        console,
        [
            (
                f"满 {each.milestone} 天",
                REWARDS.get(each.reward, each.reward),
                f"{GIVEN.get(each.state, each.state)} {each.number} 份",
                say_money(each.amount) if each.amount else "",
            )
            for each in found.given
        ],
    )
