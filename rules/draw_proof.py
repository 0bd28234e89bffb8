"""The file that proves a draw, and what anybody can check with it: `steward draw verify FILE`. Pure.

It holds what was published (commitment, hashes), what was kept secret until the end (the seed), the list of entrants
as tickets, and the result. Everything is worked out again from the seed and the list; every difference is told with
its place in the file. Changing anything in it makes some check fail.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rules.pick import BadList, Entrant, commitment, hash_of, hash_of_list, is_ticket, pick
from rules.split import Chance, Unfair, split

FORMAT: Literal["steward-draw/1"] = "steward-draw/1"

_Hex = Annotated[str, Field(pattern=r"^([0-9a-f]{2})*$")]
_Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_Count = Annotated[int, Field(ge=0)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class PrizeProof(_Part):
    """One prize: `total` fen split into `shares` (lucky), `amount` fen each (fixed), or a coupon each."""

    type: Literal["lucky", "fixed", "coupon"]
    name: str
    shares: Annotated[int, Field(ge=1)]
    total: _Count = 0
    amount: _Count = 0
    floor: _Count = 0
    cap: _Count = 0


class WinnerProof(_Part):
    """`rank`: in the pick. `share`: which share, from 1. `prize`: which prize, from 0. `amount`: fen."""

    rank: Annotated[int, Field(ge=1)]
    share: Annotated[int, Field(ge=1)]
    ticket: str
    prize: _Count
    amount: _Count


class AlternateProof(_Part):
    rank: Annotated[int, Field(ge=1)]
    ticket: str


class RedrawProof(_Part):
    """The share of rank `gone` went to rank `to`, because…"""

    share: Annotated[int, Field(ge=1)]
    gone: Annotated[int, Field(ge=1)]
    to: Annotated[int, Field(ge=1)]
    because: str


class DrawProof(_Part):
    """The whole file. `way`: "grab" has no pick, its winners are who came first. `seed`: hex."""

    format: Literal["steward-draw/1"]
    draw: str
    way: Literal["pick", "grab"]
    rules: list[Any]
    prizes: list[PrizeProof]
    rules_hash: _Hash
    commitment: _Hash
    seed: _Hex
    entrants: list[Any]
    entrants_count: _Count
    entrants_hash: _Hash
    winners: list[WinnerProof]
    alternates: list[AlternateProof]
    redraws: list[RedrawProof] = []
    result_hash: _Hash


class Checked(NamedTuple):
    """One check. `place`: where in the file it fails, as `entrants[17]`; "" where it does not. `says` in Chinese."""

    what: str
    ok: bool
    says: str
    place: str = ""


# --- what is hashed ---------------------------------------------------------------------------------------------------


def rules_hash(draw: str, rules: Sequence[Any], prizes: Sequence[PrizeProof]) -> str:
    """What is published when a draw is announced: nobody can change a rule afterwards unseen."""
    return hash_of({"draw": draw, "rules": list(rules), "prizes": [each.model_dump() for each in prizes]})


def result_hash(
    winners: Sequence[WinnerProof], alternates: Sequence[AlternateProof], redraws: Sequence[RedrawProof]
) -> str:
    lists = {"winners": winners, "alternates": alternates, "redraws": redraws}
    return hash_of({name: [each.model_dump() for each in found] for name, found in lists.items()})


class ShareOf(NamedTuple):
    """A share before anybody has it. `number`: from 1 through all prizes; `prize`: from 0; `amount`: fen."""

    number: int
    prize: int
    amount: int


def shares_of(prizes: Sequence[PrizeProof], *, seed: bytes, draw: str) -> list[ShareOf]:
    """All shares, worked out from the seed alone. Raises Unfair where a total cannot be split."""
    found = list[ShareOf]()
    for place, prize in enumerate(prizes):
        if prize.type == "lucky":
            below = Chance(seed, f"split {draw} {place}").below
            amounts = split(prize.total, prize.shares, floor=prize.floor, cap=prize.cap, below=below)
        else:
            amounts = [prize.amount] * prize.shares
        found += [ShareOf(len(found) + number, place, amount) for number, amount in enumerate(amounts, 1)]
    return found


# --- checking ---------------------------------------------------------------------------------------------------------


def verify(data: Any) -> list[Checked]:
    """Every check, in the order in which they build on each other. `data`: the file as plain JSON data."""
    try:
        proof = DrawProof.model_validate(data)
    except ValidationError as error:
        return [_malformed(each["loc"]) for each in error.errors()]
    checks = [_rules, _seed, _list, _pick if proof.way == "pick" else _grab, _redraws, _whole]
    return [found for check in checks for found in _first_wrong(check(proof))]


def _first_wrong(found: Iterator[Checked]) -> Iterator[Checked]:
    """A check that went wrong says so once."""
    for each in found:
        yield each
        if not each.ok:
            return


def _malformed(place: Sequence[str | int]) -> Checked:
    where = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place).removeprefix(".")
    return Checked("文件", ok=False, says=f"{where} 不是抽奖存证该有的样子", place=where)


def _same(what: str, place: str, said: object, found: object, fine: str) -> Checked:
    if said == found:
        return Checked(what, ok=True, says=fine)
    return Checked(what, ok=False, says=f"{place} 写的是 {said}，重新算出来是 {found}", place=place)


def _rules(proof: DrawProof) -> Iterator[Checked]:
    found = rules_hash(proof.draw, proof.rules, proof.prizes)
    fine = f"公示的规则没有改过（{found[:12]}…）"
    if found == proof.rules_hash:
        yield Checked("规则", ok=True, says=fine)
    else:
        says = f"规则（draw、rules、prizes）和公示的指纹对不上：写的是 {proof.rules_hash}，重新算出来是 {found}"
        yield Checked("规则", ok=False, says=says, place="rules")


def _seed(proof: DrawProof) -> Iterator[Checked]:
    found = commitment(bytes.fromhex(proof.seed))
    if found == proof.commitment:
        yield Checked("种子", ok=True, says=f"揭晓的种子就是报名前承诺的那一个（{found[:12]}…）")
    else:
        says = f"种子（seed）和报名前公布的承诺（commitment）对不上：承诺是 {proof.commitment}，这个种子是 {found}"
        yield Checked("种子", ok=False, says=says, place="seed")


def _entrants(proof: DrawProof) -> Iterator[Entrant]:
    """Raises BadList at the first entry that is none."""
    for place, each in enumerate(proof.entrants):
        match each:
            case str() as ticket:
                found = Entrant(ticket)
            case [str() as ticket, int() as weight] if weight != 1:
                found = Entrant(ticket, weight)
            case _:
                raise BadList(place, "这一项不是编号")
        if not is_ticket(found.ticket):
            raise BadList(place, f"「{found.ticket}」不是发出过的编号")
        yield found


def _list(proof: DrawProof) -> Iterator[Checked]:
    try:
        found, count = hash_of_list(_entrants(proof))
    except BadList as error:
        place = f"entrants[{error.place}]"
        says = f"名单第 {error.place + 1} 项（{place}）不对：{error}"
        yield Checked("名单", ok=False, says=says, place=place)
        return
    yield _same("名单", "entrants_count", proof.entrants_count, count, f"名单上有 {count} 人")
    if found == proof.entrants_hash:
        yield Checked("名单", ok=True, says=f"名单和截止时公布的指纹一致（{found[:12]}…）")
    else:
        says = f"名单（entrants）和截止时公布的指纹对不上：写的是 {proof.entrants_hash}，重新算出来是 {found}"
        yield Checked("名单", ok=False, says=says, place="entrants")


def _pick(proof: DrawProof) -> Iterator[Checked]:
    seed = bytes.fromhex(proof.seed)
    try:
        shares = shares_of(proof.prizes, seed=seed, draw=proof.draw)
        entrants = list(_entrants(proof))
        weighted = any(each.weight != 1 for each in entrants)
        most = len(shares) + len(proof.alternates)
        order = pick(entrants, most, seed=seed, draw=proof.draw, weighted=weighted)
    except Unfair as error:
        yield Checked("中奖人", ok=False, says=f"奖品（prizes）分不成份：{error}", place="prizes")
        return
    except BadList as error:
        says = "名单不对，算不出中奖人"
        yield Checked("中奖人", ok=False, says=says, place=f"entrants[{error.place}]")
        return
    winners, alternates = order[: len(shares)], order[len(shares) :]
    for place, (picked, share) in enumerate(zip(winners, shares, strict=False)):
        right = WinnerProof(
            rank=picked.rank, share=share.number, ticket=picked.ticket, prize=share.prize, amount=share.amount
        )
        yield from _differences("中奖人", f"winners[{place}]", proof.winners[place : place + 1], right)
    yield _same("中奖人", "winners", len(proof.winners), len(winners), f"{len(winners)} 位中奖人和金额都对")
    for place, picked in enumerate(alternates):
        right_one = AlternateProof(rank=picked.rank, ticket=picked.ticket)
        yield from _differences("候补", f"alternates[{place}]", proof.alternates[place : place + 1], right_one)
    yield _same("候补", "alternates", len(proof.alternates), len(alternates), f"{len(alternates)} 位候补的顺序对")


def _grab(proof: DrawProof) -> Iterator[Checked]:
    """Who came first cannot be worked out again; what each share was worth can."""
    try:
        shares = {
            each.number: each for each in shares_of(proof.prizes, seed=bytes.fromhex(proof.seed), draw=proof.draw)
        }
    except Unfair as error:
        yield Checked("份额", ok=False, says=f"奖品（prizes）分不成份：{error}", place="prizes")
        return
    tickets = set[str]()
    for place, winner in enumerate(proof.winners):
        where, share = f"winners[{place}]", shares.pop(winner.share, None)
        if share is None:
            says = f"{where}.share：第 {winner.share} 份没有，或者给了两个人"
            yield Checked("份额", ok=False, says=says, place=f"{where}.share")
            return
        right = winner.model_copy(update={"prize": share.prize, "amount": share.amount})
        yield from _differences("份额", where, [winner], right)
        if not is_ticket(winner.ticket) or winner.ticket in tickets:
            says = f"{where}.ticket：「{winner.ticket}」不是发出过的编号，或者中了两次"
            yield Checked("份额", ok=False, says=says, place=f"{where}.ticket")
            return
        tickets.add(winner.ticket)
    yield Checked("份额", ok=True, says=f"{len(proof.winners)} 份的金额都是开抢前定好的，一人一份")


def _differences(what: str, place: str, said: Sequence[BaseModel], right: BaseModel) -> Iterator[Checked]:
    if not said:
        yield Checked(what, ok=False, says=f"{place} 不见了，应当是 {right.model_dump()}", place=place)
        return
    for name in type(right).model_fields:
        if getattr(said[0], name) != getattr(right, name):
            yield _same(what, f"{place}.{name}", getattr(said[0], name), getattr(right, name), "")


def _redraws(proof: DrawProof) -> Iterator[Checked]:
    """Each took the next alternate, never anybody else, and only from who had the share."""
    has = {each.share: each.rank for each in proof.winners}
    following = [each.rank for each in proof.alternates]
    for place, redraw in enumerate(proof.redraws):
        where = f"redraws[{place}]"
        if has.get(redraw.share) != redraw.gone:
            says = f"{where}.gone：第 {redraw.share} 份当时不在第 {redraw.gone} 名手里"
            yield Checked("补位", ok=False, says=says, place=f"{where}.gone")
            return
        if redraw.to not in following or any(rank < redraw.to for rank in following[: following.index(redraw.to)]):
            says = f"{where}.to：不是排在最前面的候补"
            yield Checked("补位", ok=False, says=says, place=f"{where}.to")
            return
        following.remove(redraw.to)
        has[redraw.share] = redraw.to
    if proof.redraws:
        yield Checked("补位", ok=True, says=f"{len(proof.redraws)} 次补位都按候补的顺序")


def _whole(proof: DrawProof) -> Iterator[Checked]:
    found = result_hash(proof.winners, proof.alternates, proof.redraws)
    if found == proof.result_hash:
        yield Checked("结果", ok=True, says=f"结果和存证上的指纹一致（{found[:12]}…）")
    else:
        says = f"结果和存证上的指纹（result_hash）对不上：写的是 {proof.result_hash}，重新算出来是 {found}"
        yield Checked("结果", ok=False, says=says, place="result_hash")
