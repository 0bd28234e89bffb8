"""The doctor on draws: whether their steps are taken in time, and whether the month's money fits together."""

from datetime import datetime, timedelta

from bot import say
from bot.doctor.finding import Finding, ok, wrong
from rules.draw_rules import say_moment
from store import draws, ledger
from store.database import Tx

NAME = "抽奖"
LATE = timedelta(minutes=10)
STEPS = {"announced": "开始", "open": "截止", "frozen": "开奖"}


async def examine(tx: Tx, now: datetime) -> list[Finding]:
    """Nothing, where there never was a draw."""
    rows = await draws.going_on(tx)
    found = list[Finding]()
    for row in rows:
        at = {"announced": row.open_at, "open": row.close_at, "frozen": row.draw_at}.get(row.state)
        if at is not None and now - at > LATE:
            text = f"「{row.name}」应当 {say_moment(at)} {STEPS[row.state]}，过了{say.span(now - at)}还没有"
            cure = "steward serve 在运行吗？太晚就会取消、退回预算（late_at_most）；steward status 看有没有办不成的事。"
            found.append(wrong(NAME, text, cure))
    found += [
        wrong("抽奖的账", f"总账和明细对不上：{each}", "不要再抽奖，把 steward draw payouts --json 发给开发者。")
        for each in await ledger.out_of_step(tx)
    ]
    if found or not await draws.last(tx, at_most=1):
        return found
    return [ok(NAME, f"{len(rows)} 期在办，都在时间上，账对得上" if rows else "没有在办的，账对得上")]
