"""A person's traces in every table: found, and taken out. Used by handlers/forgetting.py; nothing else erases.

`found` only reads, so that nobody waits for it however much there is; `erase` changes the rows that it is given. What
becomes of a row stands in the tables below; of every other row only their ids and their name go.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    RowMapping,
    String,
    Table,
    Text,
    and_,
    cast,
    delete,
    false,
    or_,
    true,
    update,
)
from sqlalchemy import select as columns
from sqlmodel import AutoString

from rules.forgetting import WHY, Traces, decisions_without
from store.columns import Json
from store.database import Tx
from store.sends import FINAL
from store.tables import metadata

Key = tuple[Any, ...]
Found = dict[str, dict[Key, bool]]
"""Rows by table and primary key. True: it is about them. False: it speaks of them beside other things."""

GONE: Mapping[str, str] = {
    "members": "external_userid",
    "people": "external_userid",
    "openids": "external_userid",
    "messages": "sender",
    "reports": "reported",
    "points": "external_userid",
    "strikes": "subject",
    "releases": "subject",
    "trace_subjects": "subject",
}
"""Rows with an id of theirs in this column are deleted."""

GONE_BY_NUMBER = ("waiting", "visits", "own_tags", "checkin_pictures")
"""Rows with their visitor's number are deleted. Elsewhere the number stays: it leads to nobody any more."""

EMPTIED: Mapping[str, Mapping[str, Any]] = {
    "inbox": {"payload": "", "last_error": None},
    "outbox": {"payload": "", "result": None, "last_error": None},
    "cases": {"evidence": "", "because": WHY, "doubt": "", "reasons": []},
    "matters": {"title": WHY, "text": ""},
    "presses": {"choice": ""},
    "journeys": {"because": WHY},
    "checkin_days": {"evidence": "", "answer": ""},
    "checkin_nudges": {"name": ""},
}
"""Of a row that is about them these columns say nothing any more."""

ELSEWHERE = ("visitor_proofs", "visitor_ties")
"""What store/identities.py forgets itself, last of all: until then it says whose the rest is."""

_NAMES_OF_OTHERS = {"groups", "configs", "staff", "media", "draws", "posts", "draw_house"}
"""Here a name that looks like theirs is a group's, a colleague's or in a text of the shop's own."""
_WORDS = ("send_card", "send_text", "send_notice", "update_card")
"""Deeds that say something to staff: on their way they go on, without the name."""


# --- finding ----------------------------------------------------------------------------------------------------------


async def found(tx: Tx, traces: Traces) -> Found:
    """Every row with an id of theirs, or about a case of theirs, or with their name where that can only be them."""
    places: Found = {}
    for table in metadata.sorted_tables:
        places[table.name] = {key: theirs async for key, theirs in _in_table(tx, table, traces)}
    cases = [key[0] for key, theirs in places["cases"].items() if theirs]
    for name, condition in (await _linked(tx, traces, cases)).items():
        table = metadata.tables[name]
        rows = await (await tx.connection()).execute(columns(*table.primary_key.columns).where(condition))
        places[name] |= {tuple(row): True for row in rows}
    return {name: keys for name, keys in places.items() if keys}


async def _in_table(tx: Tx, table: Table, traces: Traces) -> AsyncIterator[tuple[Key, bool]]:
    texts = {each.name: cast(each, Text).label(f"said_{each.name}") for each in _texts(table)}
    if not texts:
        return
    by_name = _by_name(table)
    wanted = [*traces.ids, *(traces.only_theirs if by_name is not None else ())]
    has_some = or_(*(each.element.contains(word, autoescape=True) for each in texts.values() for word in wanted))
    keys = list(table.primary_key.columns)
    query = columns(*keys, *texts.values(), (true() if by_name is None else by_name).label("named")).where(has_some)
    for row in (await (await tx.connection()).execute(query)).mappings():
        said = {name: str(row[f"said_{name}"] or "") for name in texts}
        named = by_name is not None and row["named"] and any(map(traces.has_name, said.values()))
        if named or any(map(traces.has_id, said.values())):
            yield tuple(row[key.name] for key in keys), _is_about(table.name, said, traces)


def _texts(table: Table) -> list[Any]:
    """The columns in which something can be said."""
    return [each for each in table.columns if isinstance(each.type, AutoString | String | JSON | Json)]


def _by_name(table: Table) -> ColumnElement[bool] | None:
    """Of which rows a name alone says that it is theirs; None: of none. What is on its way may mean somebody else."""
    if table.name in _NAMES_OF_OTHERS:
        return None
    if table.name in {"inbox", "outbox"}:
        return table.c.finished_at.is_not(None)
    return table.c.chat_type == "single" if table.name == "sends" else true()


def _is_about(name: str, said: Mapping[str, str], traces: Traces) -> bool:
    if name == "cases":
        return said["external_userid"] in traces.ids
    if name == "matters":
        return traces.has_id(said["about"])
    if name == "outbox" and said["kind"] in _WORDS and said["state"] == "open":
        return False
    return any(map(traces.has_id, said.values()))


async def _linked(tx: Tx, traces: Traces, cases: Sequence[int]) -> dict[str, ColumnElement[bool]]:
    """What names nobody and is about them all the same."""
    tables = metadata.tables
    on_cards = tables["card_cases"].c
    cards = (await tx.connection()).execute(columns(on_cards.card_id).where(on_cards.case_id.in_(cases)))
    about = [f"case:{number}" for number in cases] + [f"card:{number}" for number in (await cards).scalars()]
    outbox, matters, presses = (tables[name].c for name in ("outbox", "matters", "presses"))
    finished = outbox.finished_at.is_not(None) & (outbox.payload != "")
    return {
        "outbox": outbox.about.in_(about) & finished,
        "matters": matters.about.in_([f"appeal:{number}" for number in cases]) & (matters.title != WHY),
        "presses": presses.case_id.in_(cases) & (presses.choice != ""),
        **{name: tables[name].c.visitor_id.in_(traces.numbers) for name in GONE_BY_NUMBER},
        "inbox": _said_by(traces),
        **_linked_journeys(traces),
    }


def _said_by(traces: Traces) -> ColumnElement[bool]:
    """What they said on our pages, where they are but a number: events in their canonical JSON."""
    payload = metadata.tables["inbox"].c.payload
    ends = (f'"visitor_id":{number}{end}' for number in traces.numbers for end in ",}")
    return or_(false(), *(payload.contains(each, autoescape=True) for each in ends))


def _linked_journeys(traces: Traces) -> dict[str, ColumnElement[bool]]:
    """Their check-ins: that there were some stays, so that the funnel adds up; what they said in them does not."""
    journeys, days = metadata.tables["journeys"].c, metadata.tables["checkin_days"].c
    nudges = metadata.tables["checkin_nudges"].c
    theirs = journeys.visitor_id.in_(traces.numbers)
    says_something = (days.evidence != "") | (days.answer != "")
    return {
        "journeys": theirs & ((journeys.state == "going") | (journeys.because.not_in(["", WHY]))),
        "checkin_nudges": nudges.journey_id.in_(columns(journeys.id).where(theirs)) & (nudges.name != ""),
        "checkin_days": days.journey_id.in_(columns(journeys.id).where(theirs)) & says_something,
    }


# --- erasing ----------------------------------------------------------------------------------------------------------


async def erase(tx: Tx, traces: Traces, places: Found, *, now: datetime) -> None:
    """Take them out of these rows; rows that are gone meanwhile are left out."""
    for table in reversed(metadata.sorted_tables):  # what refers to others first
        if table.name in ELSEWHERE:
            continue
        for key, theirs in places.get(table.name, {}).items():
            await _erase(tx, table, key, traces, theirs=theirs, now=now)


async def _erase(tx: Tx, table: Table, key: Key, traces: Traces, *, theirs: bool, now: datetime) -> None:
    connection = await tx.connection()
    this = and_(*(column == value for column, value in zip(table.primary_key.columns, key, strict=True)))
    row = (await connection.execute(columns(table).where(this))).mappings().first()
    if row is None:
        return
    if table.name in GONE_BY_NUMBER or (table.name in GONE and row[GONE[table.name]] in traces.ids):
        await connection.execute(delete(table).where(this))
        return
    values = _emptied(table.name, row, traces, now=now) if theirs else {}
    for column in _texts(table):
        if column.name not in values and row[column.name] is not None:
            left = _without(row[column.name], traces, names=table.name not in _NAMES_OF_OTHERS)
            values |= {column.name: left} if left != row[column.name] else {}
    if values:
        await connection.execute(update(table).where(this).values(values))


def _emptied(name: str, row: RowMapping, traces: Traces, *, now: datetime) -> dict[str, Any]:
    """What a row that is about them says from now on."""
    values = dict(EMPTIED.get(name, {}))
    match name:
        case "inbox" | "outbox":
            values |= {"state": "pruned", "finished_at": row["finished_at"] or now, "lease_token": None}
            values |= {"leased_until": None}
        case "trace":
            values |= {"decisions": decisions_without(row["decisions"], traces)}
        case "blocks" if row["lifted_at"] is None:  # the row stays as a record; it finds nobody any more
            values |= {"lifted_at": now, "lifted_by": "forget"}
        case "matters" if row["key"] is not None:
            values |= {"key": None, "outcome": "settled", "closed_at": now}
        case "journeys" if row["state"] == "going":
            values |= {"state": "opted_out", "ended_at": now, "next_at": None}
        case "sends" if row["chat_type"] == "single" and len(row["targets"]) == 1:
            values |= {"title": "", "text": WHY, "attachments": []}
            if row["state"] not in FINAL:
                values |= {"state": "cancelled", "due_at": None, "ended_at": now, "why": WHY}
        case _:
            pass
    return values


def _without(value: Any, traces: Traces, *, names: bool) -> Any:
    """A text, or JSON data, without them."""
    match value:
        case str():
            return traces.without(value, names=names)
        case list():
            return [_without(each, traces, names=names) for each in value]
        case dict():
            return {
                _without(key, traces, names=names): _without(each, traces, names=names) for key, each in value.items()
            }
    return value
