"""What a check-in does, for `steward check`: its days, what is given when, and where graduates are invited."""

from rules.checkin_words import say_reward
from rules.checkins import Checkin, JourneyDay

Lines = list[tuple[str, str]]
_EVIDENCE = {"tap": "点一下", "text": "写一句话", "choice": "答题", "picture": "传图片"}


def describe_checkin(checkin: Checkin) -> dict[str, Lines]:
    """Label and words, by the setting that they say better than its plain value would."""
    sheet = f"，写在 {checkin.days}" if checkin.in_sheet else ""
    in_row = "连续" if checkin.count == "consecutive" else "累计"
    return {
        "days": [
            ("每一天的内容", f"{checkin.length} 天{sheet}"),
            *((f"第 {number} 天", _say_day(day)) for number, day in enumerate(checkin.plan, 1)),
        ],
        "rewards": [(f"{in_row}打满 {days} 天", say_reward(checkin.rewards[days])) for days in sorted(checkin.rewards)],
        "graduate_to": [
            ("毕业以后" if tag == "else" else f"毕业，有「{tag}」标签", f"邀请进入口 {name}")
            for tag, name in checkin.graduate_to.items()
        ],
    }


def _say_day(day: JourneyDay) -> str:
    asked = f"，问「{day.question.text}」（{'、'.join(day.question.options)}）" if day.question else ""
    return f"{day.theme}：{'加导购' if day.add_staff else _EVIDENCE[day.evidence]}{asked}"
