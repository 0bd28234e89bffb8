"""The list is closed and hashed, the winners are picked from it, prizes lapse; and the file that proves it all."""

from datetime import datetime
from typing import Any

from handlers import prizes
from handlers.draw_facts import Tags, as_of_now, blocked_among, of_people, person_of, settings_of
from handlers.facts import is_staff
from handlers.prizes import TWICE
from rules.draw_proof import (
    FORMAT,
    AlternateProof,
    DrawProof,
    RedrawProof,
    ShareOf,
    WinnerProof,
    result_hash,
)
from rules.draw_rules import TAGS_UNKNOWN, EntrantFacts, prizes_of, why_not
from rules.draws import Draw
from rules.identity import is_other_company
from rules.pick import ListHash, Picked, pick, ticket_of, written
from store import draw_entrants, draw_winners, identities, ledger
from store.database import Tx
from store.draws import DrawRow

# --- the list ---------------------------------------------------------------------------------------------------------


async def freeze(tx: Tx, row: DrawRow, draw: Draw, *, now: datetime) -> None:
    """Close the list: everybody is looked at once more, whoever turned out to be the same is one, and it is hashed."""
    if draw.way_in == "all":
        await _everybody(tx, row, draw, now=now)
    else:
        await _look_once_more(tx, row, draw, now=now)
    await _hash(tx, row)


async def freeze_grab(tx: Tx, row: DrawRow) -> None:
    """Of a grab: who has a share."""
    await _hash(tx, row)


async def _hash(tx: Tx, row: DrawRow) -> None:
    whole = ListHash()
    async for some in draw_entrants.in_order(tx, row.id):
        whole.add(some)
    row.entrants, row.entrants_hash = whole.count, whole.hexdigest()


async def _everybody(tx: Tx, row: DrawRow, draw: Draw, *, now: datetime) -> None:
    """Whoever is in the groups and may take part."""
    salt = bytes.fromhex(row.salt)
    async for some in draw_entrants.members_of(tx, row.chat_ids):
        people = [who for who, _ in some]
        winners = await draw_winners.wins_in_month(tx, row.month, people) if draw.who.once_a_month else set()
        blocked = await blocked_among(tx, people)
        without_tags = _without_tags(draw)
        rows = []
        for who, since in some:
            facts = EntrantFacts(
                known=True,
                is_staff=is_staff(who, ()),
                other_company=is_other_company(who),
                blocked=who in blocked,
                member_since=since,
                won_this_month=who in winners,
            )
            if not why_not(without_tags, facts, now):
                ticket = ticket_of(who, salt)
                entry = {"person": who, "external_userid": who, "ticket": ticket, "entered_at": now}
                rows.append({"draw_id": row.id, **entry})
        await draw_entrants.enter_all(tx, rows)


def _without_tags(draw: Draw) -> Draw:
    """Tags are the platform's to tell: asked about those who are about to win only, not about everybody."""
    return draw.model_copy(update={"who": draw.who.model_copy(update={"not_tags": ()}), "tags": (), "enter": "all"})


async def _look_once_more(tx: Tx, row: DrawRow, draw: Draw, *, now: datetime) -> None:
    """Those who signed up: who they are by now, and whether they still may."""
    seen = set[str]()
    async for some in draw_entrants.all_of(tx, row.id):
        names = await identities.externals_of(tx, {each.visitor_id for each in some if each.visitor_id})
        now_called = {each.id: each.external_userid or names.get(each.visitor_id or 0) for each in some}
        facts = await of_people(tx, row, [who for who in now_called.values() if who], {}, now=now)
        out = dict[str, list[int]]()
        for each in some:
            who = now_called[each.id]
            person = person_of(each.visitor_id or 0, who)
            if person in seen:
                out.setdefault(TWICE, []).append(each.id)
                continue
            seen.add(person)
            refused = why_not(_without_tags(draw), facts[who], now) if who else ""
            if refused:
                out.setdefault(refused, []).append(each.id)
            elif who and person != each.person:
                await draw_entrants.is_now(tx, each.id, person, who)
        for because, ids in out.items():
            await draw_entrants.take_out(tx, ids, because)


# --- the pick ---------------------------------------------------------------------------------------------------------


async def order_of(tx: Tx, row: DrawRow, draw: Draw) -> list[Picked]:
    """Winners, then alternates: the list is gone through once, some at a time, and only these are remembered."""
    most, seed = draw.winners + draw.alternates, bytes.fromhex(row.seed)
    kept = dict[str, Any]()
    best = list[Picked]()
    async for some in draw_entrants.in_order(tx, row.id):
        best = pick([*kept.values(), *some], most, seed=seed, draw=row.key)
        by_ticket = kept | {each.ticket: each for each in some}
        kept = {each.ticket: by_ticket[each.ticket] for each in best}
    return best


async def first_people(tx: Tx, row: DrawRow) -> list[str]:
    """Who is about to win, and the first few alternates, by external_userid."""
    draw = settings_of(row)
    best = (await order_of(tx, row, draw))[: draw.winners + min(draw.alternates, 10)]
    entries = await draw_entrants.with_tickets(tx, row.id, [each.ticket for each in best])
    now_are = await as_of_now(tx, entries.values())
    return [entry["external_userid"] for entry in now_are.values() if entry["external_userid"]]


async def pick_winners(tx: Tx, row: DrawRow, draw: Draw, tags: Tags, *, now: datetime) -> None:
    """Give the shares by rank. Whoever may not win any more at this moment is passed over, with the reason."""
    order = await order_of(tx, row, draw)
    shares = [ShareOf(each.number, each.prize, each.amount) for each in await draw_winners.shares(tx, row.id)]
    row.alternates = [{"rank": each.rank, "ticket": each.ticket} for each in order[len(shares) :]]
    row.redraws = []
    found = await draw_entrants.with_tickets(tx, row.id, [each.ticket for each in order])
    entries = await as_of_now(tx, found.values())
    people = {entry["external_userid"] for entry in entries.values() if entry["external_userid"]}
    facts = await of_people(tx, row, people, tags, now=now)
    refused = {ticket: _refused(draw, facts.get(entry["external_userid"]), now) for ticket, entry in entries.items()}
    waiting = list(order[len(shares) :])
    for picked, share in zip(order, shares, strict=False):
        who = picked
        while True:
            entry = entries[who.ticket]
            because = refused[who.ticket]
            if not because and await prizes.win(tx, row, draw, share, rank=who.rank, entrant=entry, now=now):
                await draw_winners.note_taken(tx, row.id, share.number, entry["person"], now=now)
                break
            if not waiting:
                break
            following = waiting.pop(0)
            because = because or await prizes.why_not_won(tx, row, entry["person"])
            note = {"share": share.number, "gone": who.rank, "to": following.rank, "because": because}
            row.redraws = [*row.redraws, {**note, "at": now.isoformat()}]
            who = following
    await tx.flush()


def _refused(draw: Draw, facts: EntrantFacts | None, now: datetime) -> str:
    """Of who is not known yet, and of tags that nobody knows, it is looked at when they claim."""
    refused = why_not(draw, facts, now) if facts else ""
    return "" if refused == TAGS_UNKNOWN else refused


async def release_unwon(tx: Tx, row: DrawRow, *, now: datetime) -> None:
    """Shares for which there was nobody: their money goes back."""
    left = sum(each.amount for each in await draw_winners.shares(tx, row.id) if each.taken_by is None)
    if left:
        key, why = f"{row.purse}:unwon", f"抽奖「{row.name}」没有人得"
        await ledger.release(tx, row.purse, left, key=key, why=why, now=now)


async def lapse(tx: Tx, row: DrawRow, draw: Draw, *, now: datetime) -> bool:
    """What was not claimed in time goes to the alternates. Whether there was any."""
    late = [
        each
        for each in await draw_winners.of_draw(tx, row.id, lock=True)
        if each.state == "won" and each.claim_until is not None and each.claim_until <= now
    ]
    for winner in late:
        await prizes.pass_on(tx, row, draw, winner, "lapsed", "过期没领", now=now)
    if late:
        row.due_at = await draw_winners.next_lapse(tx, row.id) or now
    return bool(late)


# --- the proof --------------------------------------------------------------------------------------------------------


async def proof_of(tx: Tx, row: DrawRow) -> DrawProof:
    """The file that proves this draw. LookupError: there is no result yet, and the seed is secret until then."""
    if row.drawn_at is None or row.state not in ("drawn", "closed"):
        raise LookupError(row.key)
    draw = settings_of(row)
    winners = await (_who_came(tx, row) if draw.way_in == "grab" else _by_the_pick(tx, row, draw))
    alternates = [AlternateProof(**each) for each in row.alternates]
    redraws = [RedrawProof(**{key: each[key] for key in RedrawProof.model_fields}) for each in row.redraws]
    entrants = list[Any]()
    async for some in draw_entrants.in_order(tx, row.id):
        entrants += [written(each) for each in some]
    return DrawProof(
        format=FORMAT,
        draw=row.key,
        way="grab" if draw.way_in == "grab" else "pick",
        rules=row.rules,
        prizes=prizes_of(draw),
        rules_hash=row.rules_hash,
        commitment=row.commitment,
        seed=row.seed,
        entrants=entrants,
        entrants_count=row.entrants,
        entrants_hash=row.entrants_hash,
        winners=winners,
        alternates=alternates,
        redraws=redraws,
        result_hash=result_hash(winners, alternates, redraws),
    )


async def _by_the_pick(tx: Tx, row: DrawRow, draw: Draw) -> list[WinnerProof]:
    """Who had which share first: what became of them since is among the redraws."""
    shares = await draw_winners.shares(tx, row.id)
    order = await order_of(tx, row, draw)
    return [
        WinnerProof(rank=who.rank, share=share.number, ticket=who.ticket, prize=share.prize, amount=share.amount)
        for who, share in zip(order, shares, strict=False)
    ]


async def _who_came(tx: Tx, row: DrawRow) -> list[WinnerProof]:
    """Of a grab: who has what."""
    return [
        WinnerProof(rank=each.rank, share=each.share, ticket=each.ticket, prize=each.prize, amount=each.amount)
        for each in await draw_winners.of_draw(tx, row.id)
        if each.state in draw_winners.LIVE
    ]
