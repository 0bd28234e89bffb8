"""Statements that every event needs: compiled once, and from then on handed to the driver with nothing in between.

SQLAlchemy writes the SQL and knows how values go in and come out; what it does with each execution besides takes longer
than SQLite does (docs/performance.md). A statement that was not named here, or has another shape, goes its usual way.
"""

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import asyncpg
from sqlalchemy import BindParameter
from sqlalchemy.engine import Dialect, IteratorResult
from sqlalchemy.engine.result import SimpleResultMetaData
from sqlalchemy.exc import DBAPIError, IntegrityError, MultipleResultsFound
from sqlalchemy.sql import Executable, visitors
from sqlalchemy.sql.compiler import ExpandedState, SQLCompiler

AS_MANY_AS = 8
"""A statement with a longer list in it is not kept: each length is a statement of its own."""

Convert = Callable[[Any], Any]


class _Slot(NamedTuple):
    """One place in the SQL: the parameter, or an element of it, or a constant, and how it is written."""

    name: str | None
    element: int | None
    constant: Any
    written: Convert | None

    def value(self, parameters: Mapping[str, Any]) -> Any:
        if self.name is None:
            return self.constant
        given = parameters[self.name] if self.element is None else parameters[self.name][self.element]
        return given if self.written is None else self.written(given)


class Built:
    """A statement as the driver takes it. `returns`: whether it answers with rows."""

    def __init__(self, statement: Any, dialect: Dialect, parameters: Mapping[str, Any]) -> None:
        columns = tuple(statement.exported_columns)
        self.returns = bool(columns)
        compiled = statement.compile(dialect=dialect, column_keys=list(parameters), for_executemany=not self.returns)
        if not isinstance(compiled, SQLCompiler) or compiled.insert_prefetch or compiled.update_prefetch:
            raise ValueError(f"a default is missing among the parameters of {compiled}")
        shape = compiled.construct_expanded_state(dict(parameters))
        self.sql = shape.statement
        self._slots = [_slot(name, compiled, shape, parameters) for name in shape.positiontup or ()]
        read = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns]
        self._read_first: Convert | None = read[0] if read else None
        self._rows = SimpleResultMetaData([column.key for column in columns], _processors=read if any(read) else None)

    def values(self, parameters: Mapping[str, Any]) -> tuple[Any, ...]:
        """What the driver is given beside the SQL."""
        return tuple([slot.value(parameters) for slot in self._slots])

    def result(self, rows: Iterable[Sequence[Any]], rowcount: int) -> "Rows":
        """The driver's answer, as SQLAlchemy's would be."""
        found = Rows(self._rows, iter(rows))
        found.rowcount = rowcount
        found.read_first = self._read_first
        return found


class Rows(IteratorResult[Any]):
    """A result that has been read to its end. `rowcount`: as SQLAlchemy's."""

    rowcount = -1
    read_first: Convert | None = None

    def scalar_one_or_none(self) -> Any:
        """As SQLAlchemy's, without a row in between: most of what is asked is one value."""
        found = list(self.iterator)
        if len(found) > 1:
            raise MultipleResultsFound("more than one row where one was asked for")
        if not found:
            return None
        value = found[0][0]
        return value if self.read_first is None else self.read_first(value)

    def scalars(self, index: Any = 0) -> "Scalars":  # type: ignore[override]  # that result is made anew each time
        return Scalars(row[index] for row in self)


class Scalars(list[Any]):
    """One value of each row, with as much of SQLAlchemy's ScalarResult as anybody asks for."""

    def all(self) -> list[Any]:
        return self

    def first(self) -> Any:
        return self[0] if self else None


def _slot(name: str, compiled: SQLCompiler, shape: ExpandedState, parameters: Mapping[str, Any]) -> _Slot:
    parts = {
        part: (whole, index) for whole, parts in shape.parameter_expansion.items() for index, part in enumerate(parts)
    }
    whole, element = parts.get(name, (name, None))
    written = compiled.binds[whole].type.dialect_impl(compiled.dialect).bind_processor(compiled.dialect)
    if whole in parameters:
        return _Slot(whole, element, None, written)
    constant = shape.parameters[name]
    return _Slot(None, None, constant if written is None else written(constant), None)


S = TypeVar("S", bound=Executable)


class _Known(NamedTuple):
    """`lists`: the parameters that are lists; `shapes`: what was built so far, by dialect, parameters and lengths."""

    lists: list[str]
    shapes: dict[tuple[Any, ...], Built]


_KNOWN: dict[Executable, _Known] = {}


def once(statement: S) -> S:
    """This statement lives as long as the process does, and each parameter without a value is given every time."""
    parameters = [part for part in visitors.iterate(statement) if isinstance(part, BindParameter)]  # type: ignore[arg-type]  # its stub lacks Executable
    _KNOWN[statement] = _Known([part.key for part in parameters if part.expanding and part.required], {})
    return statement


def built(statement: Executable, dialect: Dialect, parameters: Mapping[str, Any]) -> Built | None:
    """What was built of it for parameters like these; None where it goes its usual way."""
    known = _KNOWN.get(statement)
    if known is None:
        return None
    lengths = [len(parameters[name]) for name in known.lists]
    if lengths and max(lengths) > AS_MANY_AS:
        return None
    shape = (dialect.name, *parameters, *lengths)
    found = known.shapes.get(shape)
    if found is None:
        found = known.shapes[shape] = Built(statement, dialect, parameters)
    return found


def as_sqlalchemys(error: Exception, sql: str) -> DBAPIError:
    """A driver's error as it would have come through SQLAlchemy."""
    clash = isinstance(error, sqlite3.IntegrityError | asyncpg.IntegrityConstraintViolationError)
    return (IntegrityError if clash else DBAPIError)(sql, None, error, hide_parameters=True)
