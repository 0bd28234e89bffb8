"""What managers read about posts. Chinese, and short."""

from datetime import timedelta

from rules.when import say_duration


def say_too_late(late: timedelta, at_most: timedelta) -> str:
    """Why a post that was missed is not made up for."""
    hours, minutes = divmod(int(late.total_seconds()) // 60, 60)
    span = f"{hours // 24}天{hours % 24}小时" if hours >= 24 else f"{hours}小时{minutes}分钟"
    return f"机器人停过，晚了 {span}，超过这一条最多能晚的 {say_duration(at_most)}，没有补发"


def say_silent() -> str:
    return "到时间没有人答应（approval），没有发"


def say_ask(name: str) -> tuple[str, str]:
    """Title and description of the card that asks somebody to look at a post before it goes out."""
    return f"请先看「{name}」", "打开看看发出去的样子，再点通过、改期或取消"


def say_failed(name: str, when: str, owner: str, groups: int, why: str) -> tuple[str, str]:
    """Title and text of the matter for managers: the platform would not take it."""
    return f"「{name}」没发成", f"{when} 的「{name}」，{owner}的 {groups} 个群没有发成：{why or '企业微信没有接受'}"
