"""Rows that the ORM keeps in step with their table, made and written with less ado than it makes by itself.

Handlers change attributes, and the end of the transaction writes what was changed. The ORM's own way of loading a row
and of finding and writing changes costs three times as much (docs/performance.md): here are plain tables only, whose
rows have no relations, no versions, no defaults of the database's.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Select, Update, bindparam, inspect, select, update
from sqlalchemy.orm import InstanceState, Session, class_mapper, make_transient_to_detached
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.orm.util import identity_key
from sqlmodel import SQLModel

from store.built import once
from store.columns import table_of

Row = TypeVar("Row", bound=SQLModel)


def row_of(model: type[Row], values: Mapping[Any, Any]) -> Row:
    """A row with all its columns, as a query would have made it: the model's own `__init__` looks up every default."""
    row: Row = class_mapper(model).class_manager.new_instance()
    row.__dict__.update(values)
    return row


def keep_in_step(session: Session, row: Row) -> Row:
    """A row of the database, as it is here: changes of it are written, as if the ORM had loaded it."""
    make_transient_to_detached(row)
    session.add(row)
    return row


def known(session: Session, model: type[Row], key: Any) -> Row | None:
    """The row with this key, where it is kept in step already."""
    found: Row | None = session.identity_map.get(identity_key(model, key))
    return found


@cache
def by_key(model: type[SQLModel]) -> Select[Any]:
    """All columns of one row; the parameter is called `key`."""
    table = table_of(model)
    (key,) = table.primary_key
    return once(select(table).where(key == bindparam("key")))


class Change(NamedTuple):
    """A statement that writes what was changed of one row."""

    row: SQLModel
    statement: Update
    parameters: dict[str, Any]

    def is_written(self) -> None:
        """What the database has is no change any more."""
        for name, value in self.parameters.items():
            if name.startswith(_NEW):
                set_committed_value(self.row, name.removeprefix(_NEW), value)


def changes(session: Session) -> Iterator[Change]:
    """What has to be written of rows that are kept in step, always in the same order: else two transactions might wait
    for each other.
    """
    rows: list[SQLModel] = sorted(session.dirty, key=lambda row: (row.__tablename__, inspect(row).identity))
    for row in rows:
        state: InstanceState[Any] = inspect(row)
        new = {name: row.__dict__[name] for name, old in state.committed_state.items() if row.__dict__[name] != old}
        if new:
            statement, keys = _update(type(row), tuple(sorted(new)))
            which = dict(zip(keys, state.identity or (), strict=True))
            yield Change(row, statement, {_NEW + name: value for name, value in new.items()} | which)


_NEW = "new_"


@cache
def _update(model: type[SQLModel], names: tuple[str, ...]) -> tuple[Update, list[str]]:
    table = table_of(model)
    keys = {f"key_{column.name}": column for column in table.primary_key}
    changed = update(table).where(*(column == bindparam(name) for name, column in keys.items()))
    return once(changed.values({name: bindparam(_NEW + name) for name in names})), list(keys)
