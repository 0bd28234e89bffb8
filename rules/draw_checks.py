"""What of a draw does not fit together: refused before it can be in force. Pure; the words are a manager's."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from rules.budget import Budget
from rules.draws import Draw, Prize
from rules.inducement import WHY, induces
from rules.money import say_money
from rules.value import Value

_TEXTS = ("title", "delivery", "wishing", "organiser")


class Wrong(Value):
    """`at`: where, within `draws`."""

    reason: str
    at: tuple[str | int, ...]


def mistakes(draws: Sequence[Draw], budget: Budget | None) -> Wrong | None:
    """The first thing that does not fit together."""
    places: dict[str, int] = {}
    for place, draw in enumerate(draws):
        if draw.name in places:
            first = places[draw.name] + 1
            return Wrong(reason=f"第 {first} 个和第 {place + 1} 个抽奖都叫「{draw.name}」", at=(place, "name"))
        places[draw.name] = place
        for reason, at in _of_one(draw, budget):
            return Wrong(reason=reason, at=(place, *at))
    return None


_Found = Iterator[tuple[str, tuple[str | int, ...]]]


def _of_one(draw: Draw, budget: Budget | None) -> _Found:
    yield from _what_must_be_published(draw)
    yield from _ways(draw)
    yield from _times(draw)
    for number, prize in enumerate(draw.prize):
        yield from ((reason, ("prize", number, *at)) for reason, at in _amounts(draw, prize))
    yield from _texts(draw)
    yield from _cover(draw, budget)


def _what_must_be_published(draw: Draw) -> _Found:
    if not draw.contact and not draw.in_group:
        yield "没有写 contact（联系方式）：公示的规则里要有客户能找到的电话或微信号", ()


def _ways(draw: Draw) -> _Found:
    if draw.in_group and draw.enter is not None:
        yield "群主在群里发的红包谁都能抢，不用写 enter；要先报名的请写 pay_by: 微信支付", ("enter",)
    if draw.pay_by == "coupon" and draw.pays_money:
        yield "pay_by 写了券，奖品却有红包：红包要写 群主 或 微信支付", ("pay_by",)
    if draw.in_group and not all(prize.is_money for prize in draw.prize):
        yield "群主在群里发的红包和券不能写在一起：红包谁抢到算谁的，券要抽，请分成两个抽奖", ("prize",)
    needs = {
        "tag": ("tags", "标签"),
        "points": ("points", "用掉几个积分"),
        "quiz": ("quiz", "题目"),
        "checked_in": ("checkin", "哪个打卡"),
    }
    for way, (key, what) in needs.items():
        written = bool(getattr(draw, key))
        if draw.enter == way and not written:
            yield f"enter 写了 {way}，还要写 {key}（{what}）", ("enter",)
        if draw.enter != way and written:
            yield f"写了 {key}，enter 却不是 {way}", (key,)


def _times(draw: Draw) -> _Found:
    if draw.open_before > draw.announce_before:
        yield "开始报名比公示还早：规则要先公示，announce_before 要不短于 open_before", ("open_before",)
    if draw.enter in {"sign_up", "points", "quiz", "checked_in", None} and draw.close_before >= draw.open_before:
        yield "报名还没开始就截止了：close_before 要比 open_before 短", ("close_before",)
    if draw.way_in == "grab" and draw.grab_for <= timedelta(0):
        yield "grab_for 要大于 0", ("grab_for",)
    if draw.claim_within < timedelta(hours=1) and not draw.in_group:
        yield "领奖的时间太短，至少 1小时", ("claim_within",)


def _amounts(draw: Draw, prize: Prize) -> _Found:
    """Floors and caps of the pay way, and of the prize itself."""
    if not prize.is_money or draw.pays(prize) == "coupon":
        return
    bounds = draw.bounds(prize)
    span = f"{bounds.whose}一份 {say_money(bounds.floor)} 到 {say_money(bounds.cap)}"
    if bounds.floor > bounds.cap:
        yield f"一份的下限比上限还大：{span}", ("least",)
    elif prize.total is not None and prize.total < prize.shares * bounds.floor:
        yield f"{say_money(prize.total)} 分不成 {prize.shares} 份：{span}", ("total",)
    elif prize.total is not None and prize.total > prize.shares * bounds.cap:
        yield f"{prize.shares} 份装不下 {say_money(prize.total)}：{span}", ("total",)
    elif prize.amount is not None and not bounds.floor <= prize.amount <= bounds.cap:
        yield f"一份 {say_money(prize.amount)} 发不出去：{span}", ("amount",)


def _texts(draw: Draw) -> _Found:
    texts: list[tuple[str, tuple[str | int, ...]]] = [(str(getattr(draw, key)), (key,)) for key in _TEXTS]
    for number, prize in enumerate(draw.prize):
        texts += [(prize.name, ("prize", number, "name")), (prize.what, ("prize", number, "what"))]
    if draw.quiz:
        texts.append((draw.quiz.question, ("quiz", "question")))
    for text, at in texts:
        if said := induces(text):
            yield f"「{said}」是让人分享、转发或拉人来换奖：{WHY}", at


def _cover(draw: Draw, budget: Budget | None) -> _Found:
    if not draw.pays_money:
        return
    if budget is None:
        yield "有红包的抽奖要先写预算（budget），例如 budget: {monthly: 5000元}", ("prize",)
    elif draw.cost > budget.cap:
        each = "一个群" if draw.in_group else "一期"
        yield f"{each}要 {say_money(draw.cost)}，每月预算只有 {budget.say()}，付不起", ("prize",)
