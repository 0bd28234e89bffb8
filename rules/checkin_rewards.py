"""Rewards of a check-in: which somebody has earned, and what each is worth. Pure; money is fen."""

from typing import Literal

from rules.budget import Amounts, amounts
from rules.checkins import Checkin, Reward

RewardKind = Literal["coupon", "ticket", "money", "points"]
KINDS: tuple[RewardKind, ...] = ("coupon", "ticket", "money", "points")

STOCK_OUT, BUDGET_OUT, NO_BUDGET = "发完了", "这个月的预算用完了", "设置里没有写预算"
NEEDS_NAME = "要先知道您是哪一位：用微信打开这个页面，或者加一下导购"
NEEDS_OPENID = "要在微信里打开这个页面，才能收红包"
NO_ACCOUNT = "还没有接微信支付"
NO_CODES = "券码暂时发完了，正在补"
NO_DRAW = "下一期抽奖开始报名时自动帮您报名"
SAME_PERSON = "和另一个身份是同一个人，只发一次"
NOT_PAID = "红包没有付出去"
ON_THE_LIST = "在黑名单上"


def kind_of(reward: Reward) -> RewardKind:
    """Which of the things it is."""
    return next(kind for kind in KINDS if getattr(reward, kind))


def earned(checkin: Checkin, reached: int) -> tuple[int, ...]:
    """The milestones of whoever has reached so many days."""
    return tuple(sorted(days for days in checkin.rewards if days <= reached))


def money_of(fen: int) -> Amounts:
    """What a red packet takes of the budget: it is no part of a price, so the organiser bears the tax."""
    return amounts(fen, "organiser")


def cost_of(reward: Reward) -> int:
    """What one of it costs, in fen: of a coupon what it is said to be worth."""
    return reward.money or reward.value or 0
