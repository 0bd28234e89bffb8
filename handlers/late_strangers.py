"""Somebody took a seat because nobody knew better, and now the platform has said who they are: if they are not the one
whom the seat was given to, they are asked to be taken out like any other stranger (handlers/seats.py).
"""

from datetime import datetime

from handlers import cases
from handlers.seats import STRANGER
from rules.book import Book
from rules.decision import Decision
from rules.events import PersonIdentified
from rules.identity import clash
from rules.seats import say_stranger
from store import identities, people, roster, seats
from store.database import Database, Tx
from store.identities import ProofRow
from wecom.gateway import Gateway


async def look_up(event: PersonIdentified, wecom: Gateway, store: Database, now: datetime) -> None:
    """The platform has been asked already."""


async def handle(event: PersonIdentified, seen: None, tx: Tx, book: Book, now: datetime) -> list[Decision]:
    """Look at every seat that they took. Nothing is said where nothing proves that they are not the holder."""
    who = event.external_userid
    visitor_id = await identities.visitor_with(tx, "external_userid", who)
    theirs = await identities.proofs_of(tx, visitor_id) if visitor_id is not None else []
    decisions = []
    for _, chat_id in sorted(await seats.taken_by(tx, [who])):
        seat, group = await seats.on_group(tx, chat_id), await roster.group(tx, chat_id)
        member = await roster.member(tx, chat_id, who)
        if seat is None or group is None or member is None or member.left_at is not None:
            continue
        holders = await identities.proofs_of(tx, seat.visitor_id)
        if seat.visitor_id == visitor_id or clash(map(ProofRow.proof, holders), map(ProofRow.proof, theirs)) is None:
            continue
        if (await people.released(tx, [who], [])).of(who, "").get(STRANGER):
            continue
        because = say_stranger(group.name, f"「{member.name or who}」")
        answer = Decision(rule=STRANGER, verdict="hit", because=because, subject=who, chat_id=chat_id, came_to="remove")
        await cases.settle(tx, book, group, member, [answer], listed=False, now=now)
        decisions.append(answer)
    return decisions
