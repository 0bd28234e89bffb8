"""Commands that are imported when they are run: `steward --help` does not wait for what only one of them needs."""

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

COMMANDS: dict[str, tuple[str, str]] = {
    "explain": ("explain:explain", "说清楚一个案件、一个人或一个群：问过哪些规则、为什么、做了什么。"),
    "try-message": (
        "try_message:try_message",
        "试一句话：查消息的规则哪些会管，为什么。有规则管就以 1 退出，没有就是 0。",
    ),
    "rehearse": ("rehearse:rehearse", "回看：要是那几天就用这份设置，会问到谁、为什么。什么也不记，谁也不打扰。"),
    "doctor": (
        "doctor:doctor",
        "检查和企业微信之间有没有问题：密钥、IP、权限、可见范围、回调地址……每个问题都说怎么改。",
    ),
    "status": ("status:status", "群管家忙得怎么样：积压、办不成的事、还开着的案件、接口用量。"),
    "entrances": (
        "entrances:entrances",
        "入口：每个入口还剩多少群、用得多快、还能用几天、有什么问题。有问题就以 1 退出。",
    ),
    "block": ("blocklist:block", "拉黑：此人在哪个群、什么时候回来，都请群主移出。"),
    "unblock": ("blocklist:unblock", "从黑名单上去掉一个人；以前因违规被移出过的，也可以回来。"),
    "blocked": ("blocklist:blocked", "列出黑名单。"),
    "releases": ("releases:releases", "列出放行：谁（或哪家公司）、不再问到的规则、谁放行的、什么时候。"),
    "links": ("links:links", "每个群的举报链接：贴进群公告或群规，顾客就能举报到处加人的人。"),
    "posts": ("posts:posts", "定时内容：接下来发什么、发到哪些群、额度还剩多少。"),
    "draw": ("draw:draw", "抽奖和发奖：进展、名单、核对、账目、券码。"),
    "checkin": ("checkin:checkin", "打卡：每天、每一期走到哪里，停在哪里，答了什么，发了多少奖励。"),
    "visitor": ("visitor:visitor", "访客是谁：有哪些 id、凭什么算同一个人；认错了可以拆开。"),
    "forget": ("forget:forget", "按本人要求删除一位顾客的全部个人信息；账和中奖名单留着，但认不出是谁。"),
    "backup": ("backup:backup", "备份数据库，群管家可以照常运行。"),
    "move": ("move:move", "从 SQLite 搬到 PostgreSQL：先停掉群管家。中断了再运行一次，会接着搬。"),
    "restore": ("backup:restore", "用备份换掉数据库；先停掉群管家。"),
}
"""Name → where it is in bot.commands, and its line in `steward --help`: the command's own first words (tested)."""


class Later(TyperCommand):
    """Stands in a list for a command; what is run is the command itself."""

    def __init__(self, name: str, where: str, words: str) -> None:
        super().__init__(name, help=words)
        self.where = where

    def command(self) -> Any:
        """The command itself: a function of its module, or a group of them."""
        module, _, name = self.where.partition(":")
        found = getattr(import_module(f"bot.commands.{module}"), name)
        if not isinstance(found, typer.Typer):
            alone = typer.Typer(add_completion=False)
            alone.command(self.name)(found)
            found = alone
        return typer.main.get_command(found)

    def make_context(self, *args: Any, **more: Any) -> Any:
        """The context of the command itself: from here on this one is out of the way."""
        return self.command().make_context(*args, **more)


class Commands(TyperGroup):
    """The commands it was given, and after them those of `COMMANDS`."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        for name, (where, words) in COMMANDS.items():
            self.add_command(Later(name, where, words))
