"""Paying people for passing something on: the platform bans the links and pages of whoever does it (诱导分享).

Where nothing but a reward can be meant (`speaks_of_passing_on`), the word alone is enough; in a text for customers
(`induces`) it takes both, what is to be passed on and what there is for it, in one sentence.
"""

import re

from rules.text import normalise

PASSING_ON = (
    "分享",
    "转发",
    "邀请",
    "拉人",
    "拉新",
    "裂变",
    "share",
    "sharing",
    "forward",
    "repost",
    "invit",
    "refer",
)

_SPREAD = (
    r"转发|转到|邀请(?!您|你|大家|各位|所有|全体|函)|拉人|拉新|拉满|推荐给?(?:好友|朋友)|发(?:到|送到)?朋友圈|集赞|点赞满|助力|砍价|裂变|集齐\S{0,3}赞|"
    r"分享(?:到|给|至|朋友|好友|海报|链接|本群|本条|此|群|即|就|可|得|领|有|后|并|成功)|(?:带|喊|叫)(?:个|位|上)?(?:好友|朋友|闺蜜)"
)
_GAIN = (
    r"(?<![记觉值懂显难舍])得|送|领(?!导|悟|略|域)|赢|奖|返|免费|免单|红包|优惠|折|券|积分|礼(?!拜|貌)|抽(?!空|时间)|"
    r"解锁|提现|元(?!旦|宵)"
)
_PASS_ON_FOR_GAIN = re.compile(rf"(?:{_SPREAD}).{{0,15}}?(?:{_GAIN})")
_FOR_PASSING_ON = re.compile(rf"(?:凭|靠|需|须|只要|先)\S{{0,3}}(?:{_SPREAD})")
_SENTENCE = re.compile(r"[^。！？!?\n]+")

WHY = "微信会封禁诱导分享的链接和网页，打印出去的码也会跟着失效"


def speaks_of_passing_on(word: object) -> bool:
    return isinstance(word, str) and any(each in word.lower() for each in PASSING_ON)


def induces(text: str) -> str:
    """The sentence that promises something for passing on, as written and cut; "" where there is none."""
    for sentence in _SENTENCE.findall(text):
        plain = normalise(sentence)
        if _PASS_ON_FOR_GAIN.search(plain) or (_FOR_PASSING_ON.search(plain) and re.search(_GAIN, plain)):
            said = " ".join(sentence.split())
            return said if len(said) <= 30 else f"{said[:30]}…"
    return ""
