"""How long it takes to draw 100 winners of 1,000,000 entrants, and how much memory: `python -m benchmarks.draws`.

The pick of rules/pick.py beside the same pick by a full sort with `hmac`, in one run on one core. Memory is what each
holds at its peak beside the list itself (tracemalloc). The exit code is 1 where the pick takes longer than a second and
than a third of the sort, or holds more than the winners account for; `--quick` is a smoke. Besides: how fast a grab is.
"""

import argparse
import asyncio
import hmac
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import NamedTuple

from loguru import logger
from rich.console import Console
from rich.table import Table

from benchmarks import stage
from benchmarks.grab import SHARES, Grabbed, grab
from rules.pick import Entrant, Picked, hash_of_list, pick

PEOPLE, WINNERS = 1_000_000, 100
GRABBERS = 5_000
MUST_SECONDS, MUST_OF_SORT, MUST_BYTES = 1.0, 1 / 3, 1_000_000
SEED, DRAW = bytes(range(32)), "friday-lucky:2026-11-27T20:00+08:00"


class Measured(NamedTuple):
    """`seconds`: the best of the rounds. `peak`: bytes beside the list."""

    name: str
    seconds: float
    peak: int


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.draws", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke: few people, no verdict")
    quick = parser.parse_args().quick
    people = 20_000 if quick else PEOPLE
    rows = run(people, rounds=1 if quick else 3)
    show(rows, people)
    show_grabs(grabs(quick=quick))
    drawn, by_sorting, *_ = rows
    # On a machine that is slow, or busy with other things, a second is not a second: then the sort is the measure.
    slow = drawn.seconds > MUST_SECONDS and drawn.seconds > MUST_OF_SORT * by_sorting.seconds
    return int(not quick and (slow or drawn.peak > MUST_BYTES))


def run(people: int, *, rounds: int) -> list[Measured]:
    """Both, and the hash of the list. AssertionError where they do not name the same winners."""
    entrants = [Entrant(f"{number:020x}") for number in range(people)]
    found = by_pick(entrants)
    assert [each.ticket for each in found] == by_sort(entrants)
    works: list[tuple[str, Callable[[list[Entrant]], object]]] = [
        (f"draw {WINNERS} (HMAC with ready pads, heap)", by_pick),
        ("the same by a full sort", by_sort),
        ("hash of the list", hash_of_list),
    ]
    return [Measured(name, _best(work, entrants, rounds), _peak(work, min(people, 200_000))) for name, work in works]


def grabs(*, quick: bool) -> list[Grabbed]:
    """A rush for 100 shares on each engine that is there; SQLite only, and a small one, where it is to be quick."""
    logger.remove()
    people = 300 if quick else GRABBERS
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="steward-bench-"))
        ways: list[tuple[str, Callable[[str], str]]] = [("SQLite", lambda name: f"sqlite:///{folder}/{name}.db")]
        postgres = None if quick else stack.enter_context(stage.postgres())
        if postgres is not None:
            ways.append(("PostgreSQL", postgres.url))
        return [asyncio.run(grab(engine, address, people)) for engine, address in ways]


def show_grabs(found: list[Grabbed]) -> None:
    title = f"{found[0].people:,} people press twice at once for {SHARES} shares (no must: exactly {SHARES} win)"
    table = Table(title=title)
    for heading in ("engine", "given away after", "all answered after", "a late press", "winners"):
        table.add_column(heading, justify="right")
    for each in found:
        late = f"{each.late:.2f} ms"
        table.add_row(each.engine, f"{each.given_away:.2f} s", f"{each.answered:.2f} s", late, str(each.winners))
    Console().print(table)


def by_pick(entrants: list[Entrant]) -> list[Picked]:
    return pick(entrants, WINNERS, seed=SEED, draw=DRAW)


def by_sort(entrants: list[Entrant]) -> list[str]:
    """The plain way."""
    end = DRAW.encode()
    keyed = sorted((hmac.digest(SEED, each.ticket.encode() + end, "sha256"), each.ticket) for each in entrants)
    return [ticket for _, ticket in keyed[:WINNERS]]


def _best(work: Callable[[list[Entrant]], object], entrants: list[Entrant], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        work(entrants)
        times.append(time.perf_counter() - began)
    return min(times)


def _peak(work: Callable[[list[Entrant]], object], people: int) -> int:
    """With entrants that pass by one at a time, as they do from the database."""

    def passing() -> Iterator[Entrant]:
        for number in range(people):
            yield Entrant(f"{number:020x}")

    tracemalloc.start()
    try:
        work(passing())  # type: ignore[arg-type]  # each goes through them once
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def show(rows: list[Measured], people: int) -> None:
    table = Table(title=f"{people:,} entrants, one core (must: ≤ {MUST_SECONDS:g} s, memory of the winners only)")
    for heading in ("", "seconds", "of the sort", "peak memory"):
        table.add_column(heading, justify="left" if not heading else "right")
    reference = rows[1].seconds
    for row in rows:
        table.add_row(row.name, f"{row.seconds:.2f}", f"{row.seconds / reference:.2f}", f"{row.peak / 1e6:.1f} MB")
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main())
