"""What staff and managers read about sends. Chinese, and short: it is read on a phone in a shop."""

from collections.abc import Sequence
from typing import Literal

NOT_TAKEN = "一直没能交给企业微信（连不上，或者没有权限），过了时间就作罢了。steward doctor 会查原因。"
NOT_KNOWN = (
    "交给企业微信的时候没有收到回答，过了时间也没查到它收下没有；群主可能已经在群发助手里看到这条。"
    "机器人还会接着查，查到了就改过来。"
)
HELP = "在消息列表点开「群发助手」，找到这条，点「发送」"


def say_confirm(title: str, count: int, chat_type: Literal["group", "single"], until: str) -> str:
    """To a sender who has not confirmed, though the 群发助手 has rung: the last word before the managers hear."""
    whom = f"{count} 个群" if chat_type == "group" else f"{count} 位客户"
    return f"「{title}」还没有发给 {whom}：{HELP}，几秒钟就好。{until} 以后就不发了。"


def say_unconfirmed(
    title: str, waiting: Sequence[tuple[str, int]], chat_type: Literal["group", "single"], until: str
) -> str:
    """To the managers. `waiting`: name → to how many groups (or people) it has not gone out."""
    total = f"{sum(count for _, count in waiting)} {'个群' if chat_type == 'group' else '位客户'}"
    names = "、".join(f"{name}（{count}）" for name, count in waiting)
    return f"「{title}」还有 {total}没发：{names}，都提醒过了。请催一下他们，{until} 以后就不发了。"


def say_by_hand(title: str, groups: Sequence[str], *, again: bool) -> tuple[str, str]:
    """Title and description of the card that asks somebody to send something by hand."""
    return (
        f"{'还没发' if again else '请发'}「{title}」",
        f"{len(groups)} 个群：{'、'.join(groups[:3])}{'…' if len(groups) > 3 else ''}",
    )


def say_said(button: str = "已发") -> str:
    return f"打开页面，复制文字和图片发到群里，然后点「{button}」。"
