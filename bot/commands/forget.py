"""`steward forget PERSON`: nothing is left of who somebody was. Asks before, says afterwards what it did."""

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from bot.commands.opening import AsJson, could_not, with_store

if TYPE_CHECKING:
    from handlers.forgetting import Person

IN_THE_PLATFORM = "企业微信里的客户资料、聊天记录、标签，以及导购手机上的备注，要在企业微信里另外删除。"
BACKUPS = "以前做的备份里还有此人：恢复了备份，要再删一次。"


def forget(
    who: Annotated[str, typer.Argument(metavar="人", help="名字、客户 id、openid、unionid 或访客编号")],
    yes: Annotated[bool, typer.Option("--yes", help="不再问，直接删除（删了找不回来）")] = False,
    as_json: AsJson = False,
) -> None:
    """按本人要求删除一位顾客的全部个人信息；账和中奖名单留着，但认不出是谁。"""
    console = Console()
    found = _look(who)
    if len(found) != 1:
        if as_json:
            _print({"done": False, "candidates": [_data(each) for each in found]})
        else:
            _which(console, who, found)
        raise typer.Exit(1)
    [person] = found
    if not as_json:
        _show(console, person)
    if person.obstacles or not (yes or (not as_json and _is_sure(console))):
        if as_json:
            _print({"done": False, **_data(person)})
        else:
            console.print("\n什么也没有改。", highlight=False)
        raise typer.Exit(1)
    number, left = _forget(person)
    if as_json:
        _print({"done": True, "number": number, "left": left, **_data(person)})
    else:
        _done(console, number, left)
    raise typer.Exit(1 if left else 0)


def _is_sure(console: Console) -> bool:
    """Asked, where there is somebody to ask."""
    if not sys.stdin.isatty():
        could_not("\n什么也没有删。确定要删除的话，加上 --yes 再运行一次。")
    console.print()
    return typer.confirm("删了就找不回来了。确定删除吗？")


def _print(data: dict[str, Any]) -> None:
    typer.echo(json.dumps(data, ensure_ascii=False, indent=2))


def _look(who: str) -> "list[Person]":
    from store.database import Database

    async def look(store: Database) -> "list[Person]":
        from handlers import forgetting

        async with store.read() as tx:
            return await forgetting.find(tx, who)

    return with_store(look)


def _forget(person: "Person") -> tuple[int, int]:
    """Under which number the rest stands, and how many rows still speak of them."""
    from store.database import Database

    async def work(store: Database) -> tuple[int, int]:
        from bot.clocks import SystemClock
        from handlers import forgetting

        traces, left = await forgetting.forget(store, person, now=SystemClock().now())
        return traces.number, left

    return with_store(work)


def _data(person: "Person") -> dict[str, Any]:
    return {
        "person": person.called,
        "external_userids": list(person.external_userids),
        "visitor": person.visitor,
        "rows": person.rows,
        "obstacles": list(person.obstacles),
        "warnings": list(person.warnings),
    }


def _which(console: Console, who: str, found: "list[Person]") -> None:
    from bot import say

    if not found:
        say.line(console, f"没有找到「{who}」：群名单、客户资料和网页访客里都没有。也许已经删除过了。")
        say.then(console, "steward explain 名字", "按名字找人")
        return
    say.line(console, f"叫「{who}」的有 {len(found)} 位，请写客户 id，免得删错人：")
    say.rows(console, [(*each.external_userids[:1], each.called, _in_groups(each)) for each in found])
    say.then(console, f"steward forget {found[0].external_userids[0]}", "删除其中一位")


def _in_groups(person: "Person") -> str:
    return f"{sum(person.rows.values())} 条记录"


def _show(console: Console, person: "Person") -> None:
    from bot import say
    from rules.forgetting import say_what

    say.heading(console, f"删除「{person.called}」的个人信息", "、".join(person.external_userids))
    say.title(console, "要清掉的")
    say.rows(console, [(say_what(table), f"{rows} 条") for table, rows in sorted(person.rows.items())])
    say.title(console, "要知道的")
    for each in (*person.obstacles, *person.warnings, IN_THE_PLATFORM, BACKUPS):
        say.line(console, f"· {each}")


def _done(console: Console, number: int, left: int) -> None:
    from bot import say

    if left:
        say.line(console, f"删除了，但还有 {left} 条刚写下的记录：请再运行一次。", "bold")
        return
    say.line(console, "\n删除好了。每一张表都重新找过一遍，没有此人的 id 和名字了。", "bold")
    say.line(console, f"账、中奖名单、案件的结果和打卡的统计还在，只写着 forgotten-{number}，从它查不到是谁。")
    say.line(console, "此人以后再进群、再打开页面，就是一个新人：没有积分，没有违规，也没有以前的打卡。")
    say.then(console, f"steward visitor {number}", "看看，应该查不到人了")
