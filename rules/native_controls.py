"""What only WeCom's own console or client can switch on: no API sets these switches, and none reads them.

The doctor lists them, and once a month the managers are asked to look. Where they stand differs a little between
versions of the console and the client.
"""

from datetime import UTC, datetime, time, timedelta

from rules.clock import BEIJING
from rules.value import Value


class Control(Value):
    """`name`: what people confirm it by. `what`: how it should be, and what it is good for. `clicks`: where it is."""

    name: str
    what: str
    clicks: str


CONTROLS: tuple[Control, ...] = (
    Control(
        name="防骚扰",
        what="企业微信自带的防骚扰：禁止其他企业成员进群、自动移出发广告的人",
        clicks="管理后台 → 客户与上下游 → 客户联系 → 安全管控 → 防骚扰："
        "打开「禁止其他企业成员进群」，应用到全部客户群。",
    ),
    Control(
        name="群聊黑名单",
        what="移出要拉黑的人时，同时加入群聊黑名单，TA 就进不了企业的其他群",
        clicks="告诉群主和群管理员：移出群成员时，勾选「加入群聊黑名单」。",
    ),
    Control(
        name="禁止互加",
        what="禁止群成员互相添加为联系人（企业微信 4.1.30 起）",
        clicks="企业微信 4.1.30 以上：工作台 → 客户群 → 群设置（或群模板）→ 禁止群成员互相添加，每个群打开一次。",
    ),
    Control(
        name="邀请确认",
        what="群聊邀请确认：靠扫码进的群要关着（打开后扫码进不来），只许邀请的群要打开",
        clicks="打开群 → 右上角「···」→ 群管理 → 群聊邀请确认，由群主逐个群看。",
    ),
    Control(
        name="群欢迎语",
        what="入群欢迎语挂在每个群上：机器人建好素材，只有群主能挂",
        clicks="打开群 → 右上角「···」（群设置）→ 入群欢迎语 → 选企业配置的那一条。",
    ),
    Control(
        name="好友欢迎语",
        what="用机器人发好友欢迎语时，后台不要再给员工配欢迎语：后台配了，机器人就收不到发送的凭证",
        clicks="管理后台 → 客户与上下游 → 客户联系 → 加客户 → 欢迎语：删掉给这些员工配的。",
    ),
)

AT = time(10, 0)
ASKED = "每月核对：只有后台能开的开关"


def next_check(moment: datetime) -> datetime:
    """The first 10 o'clock after `moment` on the first Monday-to-Friday of a month, in Beijing. In UTC.

    Public holidays are not known here: what is asked stands in 今日待办 until people are back.
    """
    local = moment.astimezone(BEIJING)
    first = local.replace(day=1, hour=AT.hour, minute=AT.minute, second=0, microsecond=0)
    at = _on_a_weekday(first)
    if at <= local:
        at = _on_a_weekday((first + timedelta(days=32)).replace(day=1))
    return at.astimezone(UTC)


def _on_a_weekday(day: datetime) -> datetime:
    return day + timedelta(days=max(0, 7 - day.weekday()) if day.weekday() > 4 else 0)


def month_of(moment: datetime) -> str:
    """Such as "2026-12", in Beijing."""
    return f"{moment.astimezone(BEIJING):%Y-%m}"


def say_check() -> str:
    """To the managers. Pressing 已办 is taken for: all of them have been looked at."""
    listed = "；".join(f"{place}. {each.name}：{each.what}。{each.clicks.rstrip('。')}" for place, each in _numbered())
    return f"这些开关没有接口，机器人看不到，请逐个看一眼，都对了再按「已办」：{listed}。"


def _numbered() -> list[tuple[int, Control]]:
    return list(enumerate(CONTROLS, start=1))
