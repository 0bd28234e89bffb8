"""People on their way through a check-in, for what looks at them from outside."""

from datetime import UTC, date, datetime, timedelta

from rules.identity import Proof
from store import checkins, configs, identities, people
from store.checkin_rewards import CheckinRewardRow
from store.checkins import DayKind, JourneyRow
from store.database import Tx

BEGAN = datetime(2026, 11, 16, 2, 0, tzinfo=UTC)
NAME = "newcomer-7"
CONFIG = """\
managers: [lihua]
groups: {newcomers: "新人打卡*"}
rules: [{rule: other_company}]
checkins:
  - name: newcomer-7
    title: 七天认识一杯茶
    to: newcomers
    leave_days: 1
    days:
      - {theme: 认识您的茶艺师, add_staff: 是}
      - theme: 您平时喝什么
        evidence: 选择
        question: {text: 您最常喝哪一种茶？, options: {绿茶: 喜欢绿茶, 红茶: 喜欢红茶}}
      - {theme: 水温}
      - {theme: 送人还是自己喝}
      - {theme: 茶具}
      - {theme: 存茶}
      - {theme: 说一句话}
"""
KINDS: dict[str, DayKind] = {"x": "tap", "m": "make_up", "l": "leave"}
WAYS = ("xxxxxxx", "xxxmxxx", "xxlxxxxx", "xx", "x", "", "xxxx", "xxx", "xxxxx", "xx")


async def fill(tx: Tx) -> None:
    """The config in force, ten journeys of two weeks (two graduated, three dropped, one has opted out), two rewards."""
    await configs.activate(tx, CONFIG, config_hash="c0ffee", now=BEGAN)
    for number, done in enumerate(WAYS):
        began = BEGAN + timedelta(days=7 if number >= 7 else 0)
        state = (
            "graduated" if number < 2 else "dropped" if 3 <= number <= 5 else "opted_out" if number == 9 else "going"
        )
        proof = Proof(kind="external_userid", value=f"wm{number}", evidence="roster")
        visitor, _ = await identities.find_or_make(tx, proof, now=began)
        if number % 2 == 0:
            (await people.known_or_new(tx, f"wm{number}")).followers = ["wangwu"]
        first = began.date()
        row = JourneyRow(
            visitor_id=visitor.visitor_id, checkin=NAME, began_on=first, started_on=first, state=state, began_at=began
        )
        if state != "going":
            row.ended_at = began + timedelta(days=7)
            row.because = {"dropped": "好几天没有来", "opted_out": "自己退出"}.get(state, "")
        await checkins.add(tx, row)
        await put_days(tx, row.id, first, done)
    for milestone, reward, state, amount in ((3, "points", "handed", 0), (7, "coupon", "handed", 1000)):
        tx.add(
            CheckinRewardRow(
                journey_id=1,
                visitor_id=1,
                checkin=NAME,
                milestone=milestone,
                reward=reward,
                state=state,
                amount=amount,
                granted_at=BEGAN,
            )
        )
    await tx.flush()


async def put_days(tx: Tx, journey_id: int, first: date, done: str) -> None:
    for place, letter in enumerate(done):
        on = first + timedelta(days=place)
        answer = "绿茶" if place == 1 and letter == "x" else ""
        await checkins.put_day(tx, journey_id, on, KINDS[letter], answer=answer, at=BEGAN + timedelta(days=place))
