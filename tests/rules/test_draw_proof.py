"""The file that proves a draw: true as it is, and false, with the place, once anything in it is changed."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.draw_proof import (
    FORMAT,
    AlternateProof,
    DrawProof,
    PrizeProof,
    RedrawProof,
    WinnerProof,
    result_hash,
    rules_hash,
    shares_of,
    verify,
)
from rules.pick import Entrant, canonical, commitment, hash_of_list, pick, ticket_of, written

_SEED, _DRAW = bytes(range(32)), "friday-lucky:2026-11-27T20:00+08:00"
_PRIZES = [
    PrizeProof(type="lucky", name="一等奖", shares=3, total=2_000, floor=100, cap=20_000),
    PrizeProof(type="fixed", name="二等奖", shares=2, amount=500),
    PrizeProof(type="coupon", name="", shares=2),
]
_RULES = [["主办方", "茶里有限公司"], ["开奖", "11月27日 20:00"]]


def _proof(people: int = 60, *, weighted: bool = False, way: str = "pick") -> dict[str, Any]:
    entrants = sorted(
        Entrant(ticket_of(f"wm{number}", b"salt"), number % 3 + 1 if weighted else 1) for number in range(people)
    )
    shares = shares_of(_PRIZES, seed=_SEED, draw=_DRAW)
    order = pick(entrants, len(shares) + 5, seed=_SEED, draw=_DRAW, weighted=weighted)
    winners = [
        WinnerProof(rank=each.rank, share=share.number, ticket=each.ticket, prize=share.prize, amount=share.amount)
        for each, share in zip(order, shares, strict=False)
    ]
    alternates = [AlternateProof(rank=each.rank, ticket=each.ticket) for each in order[len(shares) :]]
    redraws = [
        RedrawProof(share=2, gone=2, to=8, because="过期没领"),
        RedrawProof(share=2, gone=8, to=9, because="已退群"),
        RedrawProof(share=5, gone=5, to=10, because="过期没领"),
    ]
    hashed, count = hash_of_list(entrants)
    return DrawProof(
        format=FORMAT,
        draw=_DRAW,
        way="grab" if way == "grab" else "pick",
        rules=_RULES,
        prizes=_PRIZES,
        rules_hash=rules_hash(_DRAW, _RULES, _PRIZES),
        commitment=commitment(_SEED),
        seed=_SEED.hex(),
        entrants=[written(each) for each in entrants],
        entrants_count=count,
        entrants_hash=hashed,
        winners=winners,
        alternates=alternates,
        redraws=redraws,
        result_hash=result_hash(winners, alternates, redraws),
    ).model_dump()


def _wrong(data: Any) -> list[str]:
    return [each.place for each in verify(data) if not each.ok]


@pytest.mark.parametrize("weighted", [False, True])
def test_a_true_file_is_true(weighted: bool) -> None:
    """Everything is worked out again and fits; every check says something a person can read."""
    found = verify(_proof(weighted=weighted))
    assert all(each.ok and each.says for each in found)
    assert [each.what for each in found] == [
        "规则", "种子", "名单", "名单", "中奖人", "候补", "补位", "结果"
    ]  # fmt: skip


def test_fewer_entrants_than_shares() -> None:
    """With three entrants for seven shares three win, and the file is true."""
    data = _proof(3) | {"redraws": []}
    data["result_hash"] = result_hash([WinnerProof(**each) for each in data["winners"]], [], [])
    assert len(data["winners"]) == 3
    assert _wrong(data) == []


def _changed(data: dict[str, Any], path: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    copy = json.loads(json.dumps(data))
    at = copy
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    return copy  # type: ignore[no-any-return]  # JSON


def test_says_where() -> None:
    """Each change is told with its place: the seed, this entrant, this winner, this amount."""
    data = _proof()
    seed, ticket = data["seed"], data["entrants"][17]
    other_ticket = data["entrants"][0]
    cases: list[tuple[tuple[str | int, ...], Any, str]] = [
        (("seed",), "ff" + seed[2:], "seed"),
        (("seed",), seed[:-1], "seed"),
        (("commitment",), "0" * 64, "seed"),
        (("entrants", 17), ticket[:5] + ("0" if ticket[5] != "0" else "1") + ticket[6:], "entrants[17]"),
        (("entrants", 17), other_ticket, "entrants[17]"),
        (("entrants", 17), [ticket, 2], "entrants"),
        (("entrants_count",), 61, "entrants_count"),
        (("winners", 2, "ticket"), other_ticket, "winners[2].ticket"),
        (("winners", 1, "amount"), data["winners"][1]["amount"] + 1, "winners[1].amount"),
        (("winners", 4, "prize"), 0, "winners[4].prize"),
        (("winners", 6, "rank"), 8, "winners[6].rank"),
        (("alternates", 3, "ticket"), other_ticket, "alternates[3].ticket"),
        (("redraws", 0, "to"), 9, "redraws[0].to"),
        (("redraws", 1, "gone"), 2, "redraws[1].gone"),
        (("redraws", 2, "because"), "没领", "result_hash"),
        (("rules", 0, 1), "别人", "rules"),
        (("prizes", 1, "amount"), 600, "rules"),
        (("draw",), "other", "rules"),
        (("format",), "steward-draw/2", "format"),
        (("way",), "lot", "way"),
        (("extra",), 1, "extra"),
    ]
    for path, value, place in cases:
        assert place in _wrong(_changed(data, path, value)), path


def _leaves(data: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Everything in the file that is one value, with its place."""
    if isinstance(data, dict | list):
        for step, each in data.items() if isinstance(data, dict) else enumerate(data):
            yield from _leaves(each, (*path, step))
    else:
        yield path, data


def _other_bytes(value: Any) -> Iterator[Any]:
    """The value with one byte changed, each byte in turn; of a number with one more or one less."""
    if isinstance(value, int):
        yield from (value + 1, value - 1)
    for place, letter in enumerate(value if isinstance(value, str) else ""):
        yield value[:place] + ("0" if letter != "0" else "1") + value[place + 1 :]


_ABOUT = {
    "format": ("format",),
    "way": ("way",),
    "draw": ("rules", "winners", "alternates"),
    "rules": ("rules",),
    "prizes": ("rules", "prizes"),
    "rules_hash": ("rules",),
    "commitment": ("seed",),
    "seed": ("seed",),
    "entrants": ("entrants",),
    "entrants_count": ("entrants_count",),
    "entrants_hash": ("entrants",),
    "winners": ("winners", "result_hash"),
    "alternates": ("alternates", "result_hash"),
    "redraws": ("redraws", "result_hash"),
    "result_hash": ("result_hash",),
}
"""Field → what the place of the first thing that is told begins with, when a byte of it is changed."""


def test_every_byte_of_every_field_is_watched() -> None:
    """Not a sample: each byte of each value in the file is changed in turn. A check fails, and what it points at is the
    field that was changed, of a list the very entry.
    """
    data = _proof(12)
    assert set(_ABOUT) == set(data)
    tried = 0
    for path, value in _leaves(data):
        for other in _other_bytes(value):
            places = _wrong(_changed(data, path, other))
            field = str(path[0])
            assert places, (path, other)
            told = [place for place in places if place.startswith(_ABOUT[field])]
            assert told, (path, other, places)
            if field in ("entrants", "winners", "alternates"):
                assert any(place.startswith(f"{field}[{path[1]}]") for place in told), (path, other, places)
            tried += 1
    assert tried > 1_000


def test_one_dropped_or_added_is_told() -> None:
    """A winner, an alternate or an entrant that was taken out or put in makes a check fail."""
    for name in ("winners", "alternates", "entrants"):
        data = _proof()
        assert _wrong(data | {name: data[name][:-1]}), name
        assert _wrong(data | {name: [*data[name], data[name][-1]]}), name


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_byte_can_be_changed(data: st.DataObject) -> None:
    """Whichever byte of the file is another: it is no JSON any more, or a check fails and says where."""
    text = canonical(_FILE)
    place = data.draw(st.integers(0, len(text) - 1))
    byte = data.draw(st.sampled_from(b'0123456789abcdefABCDEF ,:[]{}"xyz\xff').filter(lambda each: each != text[place]))
    tampered = text[:place] + bytes([byte]) + text[place + 1 :]
    try:
        read = json.loads(tampered)
    except ValueError:
        return
    wrong = [each for each in verify(read) if not each.ok]
    assert wrong
    assert all(each.place and each.says for each in wrong)


_FILE = _proof()


def test_a_grab_is_checked_for_its_amounts() -> None:
    """Who came first cannot be worked out; what each share is worth, and that nobody has two, can."""
    data = _proof(way="grab") | {"alternates": [], "redraws": []}
    data["result_hash"] = result_hash([WinnerProof(**each) for each in data["winners"]], [], [])
    assert _wrong(data) == []
    assert "winners[0].amount" in _wrong(_changed(data, ("winners", 0, "amount"), 1))
    assert "winners[1].ticket" in _wrong(_changed(data, ("winners", 1, "ticket"), data["winners"][0]["ticket"]))
    assert "winners[1].share" in _wrong(_changed(data, ("winners", 1, "share"), 1))


def _nonsense() -> Iterator[Any]:
    yield from (None, [], {}, "x", 1, {"format": FORMAT}, {"winners": [1]}, {"entrants": {"a": 1}})
    yield _changed(_FILE, ("entrants", 3), {"a": 1})
    yield _changed(_FILE, ("entrants", 3), [1, 2, 3])
    yield _changed(_FILE, ("seed",), "zz")
    yield _changed(_FILE, ("prizes", 0, "total"), 1)


@pytest.mark.parametrize("data", list(_nonsense()))
def test_nonsense_is_refused(data: Any) -> None:
    """Whatever stands in the file: a check fails, nothing is raised."""
    assert _wrong(data)
