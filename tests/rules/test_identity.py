"""The identity ladder on values: what ties two ids together, what gives way, and what never may."""

import pytest

from rules.identity import (
    TIES,
    Evidence,
    Link,
    Proof,
    came_through,
    clash,
    inferences_between,
    is_other_company,
    parts,
    weigh,
)

CORP, SHOP = "wwcorp", "wxshop"


def openid(value: str, appid: str = CORP) -> Proof:
    return Proof(kind="openid", value=value, appid=appid, evidence="oauth")


def external(value: str) -> Proof:
    return Proof(kind="external_userid", value=value, evidence="oauth")


def unionid(value: str) -> Proof:
    return Proof(kind="unionid", value=value, evidence="mp_oauth")


@pytest.mark.parametrize(
    ("one", "other", "clashes"),
    [
        ([openid("oA")], [external("wmA")], False),
        ([openid("oA")], [openid("oB")], True),
        ([openid("oA")], [openid("oA")], False),
        ([openid("oA", CORP)], [openid("oB", SHOP)], False),
        ([openid("oA"), external("wmA")], [openid("oB", SHOP), external("wmB")], True),
        ([unionid("uA")], [unionid("uB")], True),
        ([openid("oA"), unionid("uA")], [external("wmA"), unionid("uA")], False),
    ],
)
def test_nobody_has_two_ids_of_one_sort(one: list[Proof], other: list[Proof], clashes: bool) -> None:
    """One openid per app, one unionid, one external_userid: two of a sort are two people, whatever else agrees."""
    assert (clash(one, other) is not None) is clashes
    assert (clash(other, one) is not None) is clashes


TOLD, INFERRED = True, False


@pytest.mark.parametrize(
    ("links", "go"),
    [
        ([], set()),
        ([Link(7, 1, 2, INFERRED)], {7}),
        ([Link(7, 1, 2, TOLD)], None),
        ([Link(7, 1, 2, INFERRED), Link(8, 1, 3, TOLD), Link(9, 2, 3, TOLD)], None),
        ([Link(7, 1, 2, INFERRED), Link(8, 1, 3, INFERRED), Link(9, 2, 3, TOLD)], {7, 8}),
        ([Link(7, 1, 3, INFERRED), Link(8, 2, 3, INFERRED)], {7, 8}),
        ([Link(7, 1, 4, INFERRED), Link(8, 1, 4, TOLD), Link(9, 4, 2, INFERRED)], {9}),
        ([Link(7, 1, 3, TOLD), Link(8, 3, 4, INFERRED), Link(9, 4, 2, TOLD), Link(10, 4, 5, INFERRED)], {8}),
    ],
)
def test_only_inferences_on_the_way_have_to_go(links: list[Link], go: set[int] | None) -> None:
    """What ties 1 and 2 is found whole; what only hangs on stays; the platform's word cannot be undone."""
    assert inferences_between(links, 1, 2) == go
    assert inferences_between(links[::-1], 2, 1) == go


def test_parts_are_who_is_tied() -> None:
    """Without a tie everybody is by themselves; ties join, whatever their order."""
    links = [Link(7, 1, 2, TOLD), Link(8, 3, 4, INFERRED), Link(9, 2, 4, TOLD), Link(10, 5, 99, TOLD)]
    assert parts([5, 1, 2, 3, 4, 6], links) == parts([1, 2, 3, 4, 5, 6], links[::-1]) == [{1, 2, 3, 4}, {5}, {6}]
    assert parts([1, 2], []) == [{1}, {2}]


@pytest.mark.parametrize("evidence", list(TIES))
def test_what_nothing_speaks_against_is_joined(evidence: Evidence) -> None:
    """Each step of the ladder joins two visitors, and says in Chinese why."""
    verdict, because = weigh([openid("oA")], [external("wmA")], evidence, inferred=False)
    assert (verdict, because) == ("join", TIES[evidence].says)


@pytest.mark.parametrize(
    ("evidence", "inferred", "verdict"),
    [
        ("oauth", False, "apart"),
        ("oauth", True, "undo"),
        ("mp_oauth", True, "undo"),
        ("roster", True, "undo"),
        ("converted", False, "apart"),
        ("converted", True, "undo"),
        ("join_state", False, "apart"),
        ("join_state", True, "apart"),
        ("same_login", True, "apart"),
    ],
)
def test_an_inference_gives_way_and_the_platform_does_not(evidence: Evidence, inferred: bool, verdict: str) -> None:
    """Where two ids of one sort meet nothing is joined; only what the platform tells undoes, and only inferences."""
    weighed = weigh([openid("oA"), external("wmA")], [openid("oB")], evidence, inferred=inferred)
    assert weighed.verdict == verdict
    assert "openid" in weighed.because


@pytest.mark.parametrize(
    ("state", "joiners", "who"),
    [
        ("seat-1", ["wmA"], "wmA"),
        ("seat-1", ["wmA", "wmA"], "wmA"),
        ("seat-1", ["wmA", "wmB"], None),
        ("seat-1", [], None),
        ("", ["wmA"], None),
    ],
)
def test_a_state_names_one_person_or_nobody(state: str, joiners: list[str], who: str | None) -> None:
    """A join way made for one scan says who came by it where exactly one did; two are ambiguous."""
    proof = came_through(state, joiners)
    assert (proof.value if proof else None) == who
    if proof:
        assert (proof.evidence, proof.source, proof.kind) == ("join_state", "seat-1", "external_userid")


@pytest.mark.parametrize(("who", "other"), [("woABC", True), ("wmABC", False), ("", False)])
def test_another_companys_wecom_is_known_by_its_id(who: str, other: bool) -> None:
    """`wo…` is a WeCom user of another company, `wm…` somebody on WeChat."""
    assert is_other_company(who) is other
