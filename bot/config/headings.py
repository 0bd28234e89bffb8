"""The headings of a sheet: which column is what, by whatever name it goes, and what is wrong with them."""

from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from bot.config.problems import Problem, closest, short
from bot.config.sheets import Cells

BROKEN = ("#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!")
"""What a cell says whose formula went wrong."""

_LOOKED_FOR = 10  # rows above the headings: a title, an explanation


class Headings(NamedTuple):
    """What a sheet may have. `columns`: each with its other names; `remarks`: columns for oneself; `one_of`: the row of
    the headings has one of these; `without`: what is said where no row has.
    """

    columns: Mapping[str, Collection[str]]
    remarks: Collection[str]
    one_of: Collection[str]
    without: str

    def read(self, rows: Cells, file: str) -> tuple[int | None, dict[str, int], list[Problem]]:
        """How many rows stand above what is said (None: no headings), which column is what (from 1), what is wrong."""
        meant_by = self._meant_by()
        for number, row in enumerate(rows[:_LOOKED_FOR], 1):
            meant = [meant_by.get(cell.strip().lower(), "") for cell in row]
            if any(name in meant for name in self.one_of):
                return (
                    number,
                    {name: at for at, name in enumerate(meant, 1) if name},
                    [*self._wrong(rows, number, file)],
                )
        return None, {}, [Problem(file, 1, 1, "", "", self.without)]

    def _meant_by(self) -> dict[str, str]:
        return {other.lower(): column for column, others in self.columns.items() for other in (column, *others)}

    def _wrong(self, rows: Cells, number: int, file: str) -> Iterator[Problem]:
        meant_by, seen = self._meant_by(), dict[str, int]()
        used = {at for row in rows[number:] for at, cell in enumerate(row, 1) if cell}
        row = rows[number - 1]
        for at in range(1, max([len(row), *used], default=0) + 1):
            cell = row[at - 1] if at <= len(row) else ""
            name = meant_by.get(cell.strip().lower(), "")
            if not name and cell not in self.remarks and (cell or at in used):
                reason = f"不认识这一列「{short(cell)}」" if cell else "这一列没有标题，但下面有内容"
                known = f"：可以写 {'、'.join(self.columns)}；不发出去的列写 备注"
                meant = closest(cell, [*self.columns, *meant_by]) if cell else ""
                yield Problem(
                    file, number, at, "", cell, reason + ("" if meant else known), meant_by.get(meant.lower(), "")
                )
            if name in seen:
                reason = f"有两列都是「{name}」（另一列是第 {seen[name]} 列），请合并"
                yield Problem(file, number, at, name, cell, reason)
            seen |= {name: at} if name else {}
