"""Entrances as managers write them: what fits together, and where a scan leads."""

from typing import Any

import pytest
from pydantic import ValidationError

from rules.book import Book

GROUPS = {"vip": "VIP*", "spare": "备用*", "members": "会员*"}
VIP: dict[str, Any] = {"name": "vip-tea", "groups": "vip", "one_customer_per_group": True}
MEMBERS: dict[str, Any] = {"name": "members-door", "groups": "members"}


def book(*entrances: dict[str, Any]) -> Book:
    return Book.model_validate({"groups": GROUPS, "shops": {"静安店": {"groups": "*静安*"}}, "entrances": [*entrances]})


@pytest.mark.parametrize(
    ("entrances", "reason"),
    [
        ([VIP, VIP], "都叫「vip-tea」"),
        ([{**VIP, "name": "VIP 茶"}], "小写字母"),
        ([{**VIP, "groups": "viip"}], "「viip」不是一类群"),
        ([{**VIP, "spare": "没有"}], "「没有」不是一类群"),
        ([{**VIP, "if_full": "nowhere"}], "没有叫「nowhere」的入口"),
        ([{**VIP, "shop": "浦东店"}], "没有叫「浦东店」的门店"),
        ([{**VIP, "if_full": "members-door"}, {**MEMBERS, "if_full": "vip-tea"}], "vip-tea → members-door → vip-tea"),
        ([{**MEMBERS, "if_full": "members-door"}], "members-door → members-door"),
        ([{**VIP, "via": "群活码"}], "不能一客一群"),
        ([{**MEMBERS, "via": "native", "if_full": "members-door"}], "不经过我们的页面"),
        ([{**MEMBERS, "via": "contact"}], "要写加谁"),
        ([{**VIP, "auto_create_room": True}], "不能自动建"),
        ([{**MEMBERS, "auto_create_room": True}], "room_base_name"),
        ([VIP, {**MEMBERS, "groups": "vip"}], "一个一客一群、一个共用"),
        ([{**MEMBERS, "limit": 10, "headroom": 10}], "一个人也进不来"),
        ([{**MEMBERS, "limit": 201}], "200"),
        ([{**VIP, "warn_below": 20}], "单位"),
    ],
)
def test_what_does_not_fit_together_is_refused(entrances: list[dict[str, Any]], reason: str) -> None:
    """Names, kinds, shops and circles are looked at before anything is printed on a poster."""
    with pytest.raises(ValidationError, match=reason):
        book(*entrances)


def test_where_a_scan_leads() -> None:
    """The first route that fits the channel and the tags; else the entrance's own kind."""
    routes = [{"channels": "jingan-*", "shop": "静安店"}, {"tags": ["绿茶", "红茶"], "groups": "vip"}]
    entrance = book({**MEMBERS, "one_customer_per_group": True, "routes": routes}).entrances[0]
    assert (entrance.route("jingan-12").kind, entrance.route("jingan-12").shop) == ("members", "静安店")
    assert entrance.route("", ["红茶"]).kind == "vip"
    assert (entrance.route("elsewhere", ["白茶"]).kind, entrance.route().shop) == ("members", "")
    assert {target.kind for target in entrance.targets} == {"members", "vip"}


def test_seats_are_kept_shorter_when_few_are_left() -> None:
    """`keep_seat`, and less when the pool is low; never longer than `keep_seat`."""
    entrance = book({**VIP, "keep_seat": "1小时", "keep_seat_when_low": "2小时"}).entrances[0]
    assert entrance.seat_kept(low=True) == entrance.seat_kept(low=False) == entrance.keep_seat
