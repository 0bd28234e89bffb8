"""The doctor on group welcomes: what could not be made, what is lost, and which groups have none attached."""

from bot.doctor.finding import Finding, ok, unsure, wrong
from store import welcome
from store.database import Tx

NAME = "入群欢迎语"
SHOWN = 5
CLICKS = "请群主打开群 → 右上角「···」（群设置）→ 入群欢迎语 → 选企业配置的那一条，然后在今日待办里按「已办」。"


async def examine(tx: Tx) -> list[Finding]:
    """Nothing, where there never was a welcome."""
    rows = (await welcome.templates(tx)).values()
    found = [
        wrong(NAME, f"「{row.title}」没有建好或改好：{row.why}", "照着改好以后，在今日待办里按「已办」，会再试一次。")
        for row in rows
        if row.why
    ]
    if orphans := sum(row.orphans for row in rows):
        text = f"有 {orphans} 条素材可能建成了，但没收到回答，机器人认不出它们（一个企业最多 100 条）"
        cure = "管理后台 → 客户与上下游 → 客户联系 → 入群欢迎语：有内容重复、没人用的就删掉。"
        found.append(unsure(NAME, text, cure))
    made = sum(row.is_attachable for row in rows)
    if waiting := await welcome.waiting(tx):
        names = "、".join(f"「{each.name}」" for each in waiting[:SHOWN])
        more = f" 等 {len(waiting)} 个群" if len(waiting) > SHOWN else ""
        found.append(unsure(NAME, f"{names}{more} 还没确认挂上（没有接口查得到）", CLICKS))
    elif made:
        found.append(ok(NAME, f"{made} 条素材，该挂的群都确认挂上了"))
    return found
