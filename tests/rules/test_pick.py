"""The pick: anybody gets the same winners from the seed and the list, and everybody is as likely to be one."""

import hashlib
import hmac
import math
import random
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.pick import BadList, Entrant, canonical, commitment, hash_of_list, is_ticket, pick, score, ticket_of

_SEED = bytes(range(32))


def _people(count: int) -> list[Entrant]:
    return sorted(Entrant(ticket_of(f"wm{number}", b"salt")) for number in range(count))


def test_is_what_the_page_says_it_is() -> None:
    """The order is that of HMAC-SHA256(seed, entrant ‖ draw), worked out here with the standard library."""
    people = _people(200)
    keys = {hmac.digest(_SEED, (each.ticket + "friday").encode(), "sha256"): each.ticket for each in people}
    found = pick(people, 30, seed=_SEED, draw="friday")
    assert [each.ticket for each in found] == [keys[key] for key in sorted(keys)[:30]]
    assert [each.rank for each in found] == list(range(1, 31))
    assert [bytes.fromhex(each.key) for each in found] == sorted(keys)[:30]


def test_a_long_secret_is_hashed_as_hmac_does() -> None:
    """A seed beyond 64 bytes gives what HMAC gives."""
    [found] = pick([Entrant("a")], 1, seed=b"s" * 100, draw="d")
    assert found.key == hmac.digest(b"s" * 100, b"ad", "sha256").hex()


@given(st.integers(1, 60), st.integers(0, 80), st.randoms())
def test_order_of_the_list_does_not_matter(count: int, most: int, order: random.Random) -> None:
    """Whoever goes through the list in another order gets the same winners; and the first k are the same for any k."""
    people = _people(count)
    whole = pick(people, count, seed=_SEED, draw="d")
    order.shuffle(people)
    assert pick(people, most, seed=_SEED, draw="d") == whole[:most]


def test_everybody_is_as_likely(size: Callable[[int, int], int]) -> None:
    """Of 20 people each wins as often as any other, over 20,000 draws (here 4,000; chi-square, fixed seeds)."""
    people, times, wins = _people(20), size(4_000, 20_000), Counter[str]()
    for number in range(times):
        seed = hashlib.sha256(b"fixed %d" % number).digest()
        wins.update(each.ticket for each in pick(people, 3, seed=seed, draw="d"))
    expected = times * 3 / 20
    chi = sum((wins[each.ticket] - expected) ** 2 / expected for each in people)
    assert chi < 43.8, wins  # 19 degrees of freedom, p = 0.001


def test_weights_are_chances() -> None:
    """Somebody with weight 3 comes first three times as often as somebody with weight 1."""
    people = [Entrant("a", 1), Entrant("b", 2), Entrant("c", 3)]
    times, wins = 12_000, Counter[str]()
    for number in range(times):
        [first] = pick(people, 1, seed=b"%d" % number, draw="d", weighted=True)
        wins[first.ticket] += 1
    chi = sum((wins[each.ticket] - times * each.weight / 6) ** 2 / (times * each.weight / 6) for each in people)
    assert chi < 13.8, wins  # 2 degrees of freedom, p = 0.001


def test_equal_weights_change_nothing() -> None:
    """A weighted draw in which all weigh 1 has the winners of one without weights."""
    people = _people(300)
    assert pick(people, 20, seed=_SEED, draw="d", weighted=True) == pick(people, 20, seed=_SEED, draw="d")


def test_a_weight_in_a_draw_without_weights_is_told() -> None:
    """It is never ignored silently."""
    with pytest.raises(BadList) as told:
        pick([Entrant("a"), Entrant("b", 2)], 1, seed=_SEED, draw="d")
    assert told.value.place == 1


def test_remembers_the_winners_only(size: Callable[[int, int], int]) -> None:
    """Of 200,000 entrants (40,000 in `make test`) that pass by one at a time, 100 are kept: memory does not grow with
    the list.
    """
    people = size(40_000, 200_000)

    def passing() -> Iterator[Entrant]:
        for number in range(people):
            yield Entrant(f"{number:08x}")

    tracemalloc.start()
    try:
        assert len(pick(passing(), 100, seed=_SEED, draw="d")) == 100
        hash_of_list(passing())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3_000_000  # 40,000 entrants that are kept take 5 MB


def test_list_is_hashed_as_canonical_json() -> None:
    """The hash is SHA-256 of the list as plain JSON without spaces: anybody can compute it in one line."""
    people = [Entrant("a"), Entrant("b", 2), *_people(25_000)[12_345:12_347]]
    people = sorted(people)
    plain = [each.ticket if each.weight == 1 else [each.ticket, each.weight] for each in people]
    assert hash_of_list(people) == (hashlib.sha256(canonical(plain)).hexdigest(), 4)
    assert hash_of_list([]) == (hashlib.sha256(b"[]").hexdigest(), 0)
    many = _people(25_000)
    assert hash_of_list(many)[0] == hashlib.sha256(canonical([each.ticket for each in many])).hexdigest()


@pytest.mark.parametrize(
    ("people", "place"),
    [
        ([Entrant("b"), Entrant("a")], 1),
        ([Entrant("a"), Entrant("b"), Entrant("b")], 2),
        ([Entrant("a", 0)], 0),
        ([Entrant("a"), Entrant("b", True)], 1),
    ],
)
def test_a_list_out_of_order_is_refused(people: list[Entrant], place: int) -> None:
    """Out of order, twice, or without weight: told with its place."""
    with pytest.raises(BadList) as told:
        hash_of_list(people)
    assert told.value.place == place


def test_tickets_say_nothing_and_check_themselves() -> None:
    """A ticket depends on the salt, is the same each time, and one changed letter makes it none."""
    ticket = ticket_of("wm1", b"salt")
    assert ticket == ticket_of("wm1", b"salt")
    assert ticket != ticket_of("wm1", b"other")
    assert is_ticket(ticket)
    for place in range(len(ticket)):
        other = "0" if ticket[place] != "0" else "1"
        assert not is_ticket(ticket[:place] + other + ticket[place + 1 :])


def test_commitment_is_the_hash_of_the_seed() -> None:
    """What is published beforehand is SHA-256 of the seed and nothing else."""
    assert commitment(_SEED) == hashlib.sha256(_SEED).hexdigest()


def test_scores_are_finite_for_any_key() -> None:
    """−ln(u)/w is a number for the first and the last key there is."""
    assert score(b"\0" * 32, 1) == 0
    assert math.isfinite(score(b"\xff" * 32, 1))
