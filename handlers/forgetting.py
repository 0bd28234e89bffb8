"""Forgetting a person for good, as the law gives them the right to: who it is, what stands in the way, and doing it.

What is found is found without holding anybody up, and changed in one transaction; then it is looked for again, until
nothing is left. The numbers of a draw, the sums of the ledger and how many days of a check-in were done stay, under a
number that leads to nobody.
"""

from collections.abc import Sequence
from datetime import datetime

from handlers import cases, checkin_rewards, identity
from rules.forgetting import SHORTEST_NAME, WHY, Traces
from rules.identity import Proof
from rules.value import Value
from store import blocks, erasing, identities, removal, roster, whose
from store.database import Database, Tx
from store.erasing import Found
from store.inbox import Inbox

PASSES = 5  # what is written while we look is found the next time


class Person(Value):
    """Somebody who may be forgotten. `called`: to show. `rows`: what there is of them, by table.

    `obstacles`: why it cannot be done now; `warnings`: what else there is to know. In Chinese.
    """

    called: str
    external_userids: tuple[str, ...]
    visitor: int | None
    rows: dict[str, int]
    obstacles: tuple[str, ...]
    warnings: tuple[str, ...]
    traces: Traces


async def find(tx: Tx, typed: str) -> list[Person]:
    """Everybody whom `typed` may mean: a visitor's number, any id, or a name."""
    visitors = await whose.visitors_having(tx, typed)
    if not visitors and typed.isascii() and typed.isdigit():
        now_is = await identities.visitor_now(tx, int(typed))
        visitors = [now_is] if now_is is not None else []
    if visitors:
        return [await _person(tx, each, ()) for each in visitors]
    known = await whose.people_having(tx, typed)
    if not known and typed.startswith(("wm", "wo")):  # only in what was written about them
        person = await _person(tx, None, (typed,))
        return [person] if person.rows else []
    found: dict[str, Person] = {}
    for who in known:
        person = await _person(tx, await identities.visitor_with(tx, "external_userid", who), (who,))
        found[person.external_userids[0]] = person
    return list(found.values())


async def _person(tx: Tx, visitor: int | None, known: Sequence[str]) -> Person:
    on_rosters, others = await whose.ids_of(tx, visitor, known)
    names = await whose.names_of(tx, on_rosters)
    only_theirs = [
        name for name in names if len(name) >= SHORTEST_NAME and await whose.nobody_else_is_called(tx, name, on_rosters)
    ]
    traces = Traces(
        number=visitor or 0,
        numbers=await whose.numbers_of(tx, visitor) if visitor is not None else (),
        ids=(*on_rosters, *others),
        names=tuple(names),
        only_theirs=tuple(only_theirs),
    )
    return Person(
        called=names[0] if names else (on_rosters or [f"访客 {visitor}"])[0],
        external_userids=tuple(on_rosters),
        visitor=visitor,
        rows={table: len(keys) for table, keys in (await erasing.found(tx, traces)).items()},
        obstacles=tuple(await _obstacles(tx, traces)),
        warnings=tuple(await _warnings(tx, traces, on_rosters)),
        traces=traces,
    )


async def _obstacles(tx: Tx, traces: Traces) -> list[str]:
    said = []
    on_their_way = await whose.payouts_on_their_way(tx, _called_in_draws(traces))
    if paid := [row for row in on_their_way if row.way == "wechat"]:
        numbers = "、".join(row.number for row in paid)
        said.append(f"有 {len(paid)} 笔红包还没有结果（{numbers}）：现在删除，就可能多发或者漏发。等它有了结果再来。")
    return said


async def _warnings(tx: Tx, traces: Traces, on_rosters: Sequence[str]) -> list[str]:
    said = []
    if groups := await whose.groups_now(tx, on_rosters):
        said.append(
            f"此人还在群「{'」「'.join(groups)}」里。群名单以企业微信为准：下次读名单，会作为一个新人重新出现，"
            "不带以前的任何记录。要完全不留，请先把此人移出群。"
        )
    if open_cases := await whose.open_cases(tx, on_rosters):
        numbers = "、".join(f"#{number}" for number in open_cases)
        said.append(f"案件 {numbers} 还没有结：会就此结掉，不再请人提醒或移出此人。")
    if prizes := await whose.prizes_to_claim(tx, _called_in_draws(traces), traces.numbers):
        said.append(f"此人有 {prizes} 份奖还没有领：删除以后就领不了，到期按规则给候补或退回。")
    if any(row.way == "coupon" for row in await whose.payouts_on_their_way(tx, _called_in_draws(traces))):
        said.append("此人手里有还没核销的券：券照样能用，但查不到是谁的。")
    if await blocks.blocked(tx, traces.ids, traces.ids):
        said.append("此人在黑名单上：删除以后认不出来，再来的时候不会拦。")
    called = [name for name in traces.names if len(name) >= SHORTEST_NAME]
    if named := [group for name in called for group in await whose.groups_called_like(tx, name)]:
        said.append(f"群名里有此人的名字：「{'」「'.join(named)}」。群名要请群主自己改。")
    return said


def _called_in_draws(traces: Traces) -> list[str]:
    return [*traces.ids, *(f"v{number}" for number in traces.numbers)]


# --- forgetting -------------------------------------------------------------------------------------------------------


async def forget(store: Database, person: Person, *, now: datetime) -> tuple[Traces, int]:
    """Nothing is left of who this was. Answers under which number the rest stands, and how many rows still speak of
    them (0, unless somebody writes about them all the time).
    """
    traces = await _numbered(store, person, now=now)
    for last in range(PASSES):
        async with store.read() as tx:
            places = await erasing.found(tx, traces)
        if last and not places:
            break
        async with store.write() as tx:
            if not last:
                await _close_cases(tx, person, now=now)
            await _read_groups_again(tx, places, now=now)
            await erasing.erase(tx, traces, places, now=now)
            if not last:
                await checkin_rewards.forgotten(tx, traces.number, WHY, now=now)
                await identity.forget(tx, traces.number, now=now)
    async with store.read() as tx:
        return traces, sum(map(len, (await erasing.found(tx, traces)).values()))


async def _numbered(store: Database, person: Person, *, now: datetime) -> Traces:
    """With a number to stand for them: whoever never opened a page of ours has none yet."""
    if person.visitor is not None:
        return person.traces
    async with store.write() as tx:
        proof = Proof(kind="external_userid", value=person.external_userids[0], evidence="roster")
        visitor = (await identity.visitor_of(tx, [proof], now=now)).visitor_id
    return person.traces.model_copy(update={"number": visitor, "numbers": (visitor,)})


async def _close_cases(tx: Tx, person: Person, *, now: datetime) -> None:
    """Nobody can be asked any more about somebody whom nobody knows; the cards say so."""
    for number in await whose.open_cases(tx, person.external_userids):
        case = await removal.case(tx, number)
        if case is not None:
            await cases.close(tx, case, "withdrawn", by="forget", now=now)
    await tx.flush()


async def _read_groups_again(tx: Tx, places: Found, *, now: datetime) -> None:
    """What is still to be worked on is dropped with the rest: the groups that it was about are read instead."""
    for (row_id,), theirs in places.get("inbox", {}).items():
        row = await tx.get(Inbox, row_id)
        if theirs and row is not None and row.state == "open" and (row.ordering_key or "").startswith("group:"):
            group = await roster.group(tx, str(row.ordering_key).removeprefix("group:"))
            if group is not None:
                roster.read_soon(group, at=now)
