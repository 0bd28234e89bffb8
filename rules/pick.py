"""Who wins, so that anybody can work it out again. Pure; docs/draws.md says the same in words.

Before anybody enters SHA-256(seed) is published, when the list is closed SHA-256(list). Then every entrant has a key,
HMAC-SHA256(seed, entrant ‖ draw): nobody could know it before the seed is revealed, and nobody could choose
it. The smallest keys win; those that follow are the alternates, in order. With weights, −ln(u)/w takes the key's place
(u: the key as a fraction), so a ticket of weight 3 wins as often as three tickets would.
"""

import hashlib
import heapq
import json
import math
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple

_BLOCK = 64  # bytes of one round of SHA-256
_AT_ONCE = 10_000  # entrants hashed at once


class Entrant(NamedTuple):
    """One who takes part. `ticket`: what the published list calls them."""

    ticket: str
    weight: int = 1


class Picked(NamedTuple):
    """`rank`: from 1. `key`: what put them there, in hex."""

    rank: int
    ticket: str
    key: str


class BadList(ValueError):  # noqa: N818  # says what it is
    """The list is not in order, or names somebody twice, or a weight is no whole number above zero. `place`: from 0."""

    def __init__(self, place: int, why: str) -> None:
        super().__init__(why)
        self.place = place


# --- what is published ------------------------------------------------------------------------------------------------


def commitment(seed: bytes) -> str:
    """Published before entry opens: who knows it cannot tell the seed, and the seed cannot be another afterwards."""
    return hashlib.sha256(seed).hexdigest()


_TICKET, _CHECK = 16, 4


def ticket_of(person: str, salt: bytes) -> str:
    """What the published list calls a person in one draw: it says nothing of who that is to anybody without the salt.

    The last four letters follow from the rest, so that a list tells by itself which entry was tampered with.
    """
    body = hashlib.blake2b(person.encode(), key=salt, digest_size=_TICKET // 2).hexdigest()
    return body + _check(body)


def is_ticket(ticket: str) -> bool:
    body, check = ticket[:_TICKET], ticket[_TICKET:]
    return len(ticket) == _TICKET + _CHECK and check == _check(body)


def _check(body: str) -> str:
    return hashlib.sha256(f"ticket {body}".encode()).hexdigest()[:_CHECK]


def canonical(value: Any) -> bytes:
    """The one way to write plain JSON data: sorted keys, no spaces, UTF-8."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def hash_of(value: Any) -> str:
    """SHA-256 of plain JSON data, written the one way."""
    return hashlib.sha256(canonical(value)).hexdigest()


class ListHash:
    """SHA-256 of a list of entrants as canonical JSON, a few at a time; `count`: how many so far.

    Each entry is the ticket, or `[ticket, weight]` where the weight is not 1. `add` raises BadList unless they come in
    the order of their tickets, each once.
    """

    def __init__(self) -> None:
        self.count = 0
        self._digest = hashlib.sha256(b"[")
        self._last = ""

    def add(self, entrants: Iterable[Entrant]) -> None:
        ordered = self._in_order(entrants)
        while some := [written(each) for each in islice(ordered, _AT_ONCE)]:
            self._digest.update(b"," if self.count else b"")
            self._digest.update(canonical(some)[1:-1])
            self.count += len(some)

    def hexdigest(self) -> str:
        whole = self._digest.copy()
        whole.update(b"]")
        return whole.hexdigest()

    def _in_order(self, entrants: Iterable[Entrant]) -> Iterator[Entrant]:
        for place, (ticket, weight) in enumerate(entrants, self.count):
            if ticket <= self._last:
                why = "stands there twice" if ticket == self._last else "is not in order"
                raise BadList(place, f"{ticket} {why}")
            if not isinstance(weight, int) or isinstance(weight, bool) or weight < 1:
                raise BadList(place, f"{ticket} has the weight {weight}")
            self._last = ticket
            yield Entrant(ticket, weight)


def hash_of_list(entrants: Iterable[Entrant]) -> tuple[str, int]:
    """The hash of the whole list, and how many are on it. Raises BadList."""
    whole = ListHash()
    whole.add(entrants)
    return whole.hexdigest(), whole.count


def written(entrant: Entrant) -> str | list[Any]:
    """An entry as the published list has it."""
    return entrant.ticket if entrant.weight == 1 else [entrant.ticket, entrant.weight]


# --- the pick ---------------------------------------------------------------------------------------------------------


def pick(entrants: Iterable[Entrant], most: int, *, seed: bytes, draw: str, weighted: bool = False) -> list[Picked]:
    """The first `most` by their keys, best first: winners, then alternates. Any order of `entrants` gives the same.

    They are gone through once, and only `most` are remembered. Without `weighted` every weight must be 1: BadList.
    """
    if most < 1:
        return []
    inner, outer = _pads(seed)
    if weighted:
        found = _lightest(entrants, most, inner, outer, draw.encode())
    else:
        found = _smallest(entrants, most, inner, outer, draw.encode())
    return [Picked(rank, ticket, key.hex()) for rank, (key, ticket) in enumerate(found, 1)]


_Copy = Callable[[], Any]


def _pads(secret: bytes) -> tuple[_Copy, _Copy]:
    """HMAC's two pads, hashed once for all keys: each key then begins with copies of them."""
    if len(secret) > _BLOCK:
        secret = hashlib.sha256(secret).digest()
    padded = secret.ljust(_BLOCK, b"\0")
    pads = (hashlib.sha256(bytes(byte ^ pad for byte in padded)) for pad in (0x36, 0x5C))
    inner, outer = (each.copy for each in pads)
    return inner, outer


def _smallest(
    entrants: Iterable[Entrant], most: int, inner: _Copy, outer: _Copy, draw: bytes
) -> list[tuple[bytes, str]]:
    """By their keys alone. Nearly all are passed by after one comparison with the worst that is kept."""
    kept: list[tuple[int, str]] = []  # a heap of keys below zero: the worst is first
    limit = b"\xff" * 33
    for place, (ticket, weight) in enumerate(entrants):
        first, second = inner(), outer()
        first.update(ticket.encode() + draw)
        second.update(first.digest())
        key = second.digest()
        if key < limit:
            (heapq.heappush if len(kept) < most else heapq.heapreplace)(kept, (-int.from_bytes(key, "big"), ticket))
            if len(kept) == most:
                limit = (-kept[0][0]).to_bytes(32, "big")
        if weight != 1:
            raise BadList(place, f"{ticket} has the weight {weight}, in a draw without weights")
    return sorted(((-number).to_bytes(32, "big"), ticket) for number, ticket in kept)


def _lightest(
    entrants: Iterable[Entrant], most: int, inner: _Copy, outer: _Copy, draw: bytes
) -> list[tuple[bytes, str]]:
    """By −ln(u)/w."""

    def scored() -> Iterator[tuple[float, bytes, str]]:
        for ticket, weight in entrants:
            first, second = inner(), outer()
            first.update(ticket.encode() + draw)
            second.update(first.digest())
            yield score(second.digest(), weight), second.digest(), ticket

    return [(key, ticket) for _, key, ticket in heapq.nsmallest(most, scored())]


def score(key: bytes, weight: int) -> float:
    """−ln(u)/w, u = 1 − key/2^256: with equal weights the smallest key has the smallest score."""
    fraction = min(int.from_bytes(key, "big") / (1 << 256), _BELOW_ONE)
    return -math.log1p(-fraction) / weight


_BELOW_ONE = math.nextafter(1.0, 0.0)
