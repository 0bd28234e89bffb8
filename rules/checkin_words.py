"""How check-ins are said to people. Pure."""

from datetime import date

from rules.checkins import KEPT, Checkin, Reward
from rules.money import say_money
from rules.when import say_duration

_WEEKDAYS = "一二三四五六日"


def say_day(day: date) -> str:
    """`11月30日（周一）`."""
    return f"{day.month}月{day.day}日（周{_WEEKDAYS[day.weekday()]}）"


def say_prize(reward: Reward) -> str:
    """`满 50 减 10 茶券（价值 10元）`, `2元红包`, `10 个积分`, `一次抽奖机会`."""
    if reward.money:
        said = f"{say_money(reward.money)}红包"
    elif reward.points:
        said = f"{reward.points} 个积分"
    else:
        said = reward.what or ("一次抽奖机会" if reward.ticket else "一张券")
    return f"{said}（价值 {say_money(reward.value)}）" if reward.value else said


def say_reward(reward: Reward) -> str:
    """The same, with how many there are."""
    return f"{say_prize(reward)}{f'，共 {reward.stock} 份，发完为止' if reward.stock is not None else ''}"


def rules_of(checkin: Checkin) -> list[tuple[str, str]]:
    """The rules as the page shows them: headings and texts."""
    in_row = checkin.count == "consecutive"
    how = "连续" if in_row else "累计"
    grace = f"；零点以后 {say_duration(checkin.grace)} 内还能打前一天的" if checkin.grace else ""
    counts = "补的也算一天" if checkin.make_up_counts else "补的让连续不断，不加天数"
    cards, leave = checkin.make_up_cards, checkin.leave_days
    found = [
        ("怎么算完成", f"{how}打卡 {checkin.target} 天{'' if in_row else f'，{checkin.lasts} 天之内'}"),
        ("什么时候打", f"每天北京时间 0 点到 24 点打一次{grace}"),
        ("补签", f"{cards} 张补签卡，可以补 {checkin.make_up_days} 天以内漏的，{counts}" if cards else ""),
        ("请假", f"可以请 {leave} 天假，连续不断{'，往后顺延' if in_row else ''}" if leave else ""),
        *((f"{how} {days} 天", say_reward(checkin.rewards[days])) for days in sorted(checkin.rewards)),
        ("奖励怎么给", _HOW_GIVEN if checkin.rewards else ""),
        ("主办方", checkin.organiser),
        ("联系方式", checkin.contact),
    ]
    return [(heading, text) for heading, text in found if text]


_HOW_GIVEN = "每一项每人只有一次；要先认出您是群成员（加一位导购就可以），才能发给您"


def privacy_of(forget_asked_of: str) -> list[tuple[str, str]]:
    """What is kept, why, how long and how to have it erased (PIPL art. 17). `forget_asked_of`: whom to tell."""
    return [
        (
            "我们记下什么",
            "您的微信标识（由企业微信提供，不含手机号）、每天打卡的时间，以及您自己写的话、选的答案和传的图片",
        ),
        ("为什么", "用来算您打了几天、发奖励、请导购提醒您；您的回答会变成标签，让导购推荐更合适的东西"),
        ("留多久", f"每天的记录留 {KEPT.days} 天，到期删除；不卖给别人，也不用来做别的"),
        ("您可以", f"随时不要提醒、退出打卡；想看、想改或全部删除，请告诉{forget_asked_of}，我们会删掉"),
    ]
