"""What owners are told about seats and codes, in Chinese. Pure."""

from collections.abc import Sequence


def say_drift(*, missing: bool = False, lacking: Sequence[str] = (), extra: Sequence[str] = (), state: str = "") -> str:
    """What the platform has otherwise than we ordered."""
    if missing:
        return "企业微信那边已经没有这个入群码：有人删了它"
    said = [f"少了 {len(lacking)} 个群"] if lacking else []
    said += [f"多了 {len(extra)} 个群"] if extra else []
    said += [f"state 成了「{state}」"] if state else []
    return f"和我们设的不一样（{'，'.join(said) or '自动建群的开关不同'}），已重新写一遍"


def say_aside(name: str) -> tuple[str, str]:
    """Title and text, to the owner: a code was shown to several people and nobody came in."""
    return (
        f"「{name}」扫码进不来",
        (
            f"「{name}」的入群码给好几位客户看过，一小时里没有一个人进来，先停用了。请看看：群设置 → 群管理 → "
            "「群聊邀请确认」有没有打开（打开后扫码要等群主同意），群还在不在。弄好以后按「已办」，这个群就接着用。"
        ),
    )


def say_occupied(name: str) -> tuple[str, str]:
    """Title and text, to the owner: somebody is in a prepared group."""
    return (
        f"「{name}」里进了别人",
        (
            f"「{name}」是预备给客户的空群，现在里面有不是我们安排的人，先不给客户用。请看看是谁：要留给TA就不用管；"
            "进错了请移出，只剩自己人以后会自动接着用。"
        ),
    )


def say_dirty(name: str) -> tuple[str, str]:
    """Title and text, to the owner: the customer has left."""
    return (
        f"「{name}」的客户走了",
        (
            f"「{name}」的客户已经退群，这个群可以给下一位。请先看看：里面只剩自己人、群名和公告都没有上一位的信息，"
            "然后按「已办」。不想再用就不用管。"
        ),
    )


def say_close_door(name: str, customer: str) -> tuple[str, str]:
    """Title and text, to the owner: their customer is in."""
    return (
        f"「{name}」请关门",
        (
            f"{customer or '客户'}已经进了「{name}」，入群码已经作废。请打开：群设置 → 群管理 → 「群聊邀请确认」，"
            "别人就不能被拉进来了。打开后按「已办」。"
        ),
    )


def say_stranger(name: str, person: str) -> str:
    """Why somebody is to be taken out of a customer's group."""
    return f"「{name}」是专门给一位客户的群，{person}不是这位客户，拿着别人的入群码进来了"


def say_guest(name: str, person: str) -> tuple[str, str]:
    """Title and text, to the owner: somebody is in a customer's group, and nobody knows whether they belong there."""
    return (
        f"「{name}」里多了一个人",
        (
            f"「{name}」是一客一群，{person}也进来了，不是用我们给的入群码。请看看是不是客户自己请的人；不该在的请移出，"
            "并打开「群聊邀请确认」。看过了按「已办」。"
        ),
    )


def say_twice(name: str, people: Sequence[str]) -> tuple[str, str]:
    """Title and text, to the owner: several people came by one customer's code."""
    return (
        f"「{name}」进来了 {len(people)} 个人",
        (
            f"同一个入群码进来了 {'、'.join(people)}，机器人分不清谁是那位客户，谁也没有请人移出。"
            "请看看，不该在的请移出，然后按「已办」。"
        ),
    )
