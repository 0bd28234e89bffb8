"""Sheets (.xlsx) beside `config.yaml` as text: what they say cell by cell, so that it can be kept with the config.

The text is JSON: `{"rows": [[cell, …], …]}`, row 1 first, cells as a manager reads them ("2026-11-25", "20:00", "3").
"""

import hashlib
import json
import warnings
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

from bot.config.problems import short

MOST_BYTES = 5 << 20
MOST_UNPACKED = 50 << 20
MOST_ROWS = 2_000
MOST_COLUMNS = 40

Cells = list[list[str]]


class UnreadableSheetError(Exception):
    """The words, in Chinese without a full stop, say why."""


def sheet_text(path: Path) -> str:
    """The first sheet of a file as text. Raises UnreadableSheetError, OSError, FileNotFoundError."""
    found = path.stat()
    return _sheet_text(path, found.st_mtime_ns, found.st_size, found.st_ino)


@lru_cache(maxsize=200)  # read anew where the file has changed
def _sheet_text(path: Path, _changed: int, size: int, _inode: int) -> str:
    if size > MOST_BYTES:
        raise UnreadableSheetError(f"表格「{short(path.name)}」太大，最多 {MOST_BYTES >> 20} MB")
    return json.dumps({"rows": _read(path.read_bytes(), path.name)}, ensure_ascii=False)


def cells(text: str) -> Cells:
    """What `sheet_text` made. Raises UnreadableSheetError where it is no such text."""
    try:
        rows = json.loads(text)["rows"]
    except (ValueError, KeyError, TypeError):
        raise UnreadableSheetError("表格的内容读不出来") from None
    return [[str(cell) for cell in row] for row in rows]


def file_digest(path: Path) -> str:
    """`sha256:… 12345`: what a file is and how many bytes it has. Raises OSError."""
    found = path.stat()
    return _file_digest(path, found.st_mtime_ns, found.st_size, found.st_ino)


@lru_cache(maxsize=2_000)  # likewise
def _file_digest(path: Path, _changed: int, size: int, _inode: int) -> str:
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()} {size}"


# --- reading ----------------------------------------------------------------------------------------------------------


def _read(content: bytes, name: str) -> Cells:
    broken = f"「{short(name)}」不是 Excel 表格（.xlsx）：请用 Excel 或 WPS「另存为」成 .xlsx"
    try:
        with zipfile.ZipFile(BytesIO(content)) as packed:
            if sum(each.file_size for each in packed.infolist()) > MOST_UNPACKED:
                raise UnreadableSheetError(f"表格「{short(name)}」太大，展开以后超过 {MOST_UNPACKED >> 20} MB")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of features that do not matter here: styles, validations
            rows = list(_rows(content))
    except UnreadableSheetError:
        raise
    except Exception as error:  # openpyxl raises whatever it stumbles over
        raise UnreadableSheetError(broken) from error
    if len(rows) > MOST_ROWS:
        raise UnreadableSheetError(f"表格「{short(name)}」超过 {MOST_ROWS} 行：请分成几个文件")
    while rows and not any(rows[-1]):
        rows.pop()
    return rows


def _rows(content: bytes) -> Iterator[list[str]]:
    from openpyxl import load_workbook  # a tenth of a start, and wanted by those who have sheets

    book = load_workbook(BytesIO(content), read_only=True, data_only=True, keep_links=False)
    try:
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # other programs write them wrong
        rows = sheet.iter_rows(max_row=MOST_ROWS + 1, max_col=MOST_COLUMNS, values_only=True)
        for row in rows:
            said = [_say(value) for value in row]
            while said and not said[-1]:
                said.pop()
            yield said
    finally:
        book.close()


def _say(value: Any) -> str:
    """A cell's value as a manager reads it."""
    if isinstance(value, timedelta):
        minutes = int(value.total_seconds()) // 60
        return f"{minutes // 60:02}:{minutes % 60:02}"
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time(0) else value.strftime("%Y-%m-%d %H:%M")
    if isinstance(value, date | time):
        return value.isoformat() if isinstance(value, date) else value.strftime("%H:%M")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else str(value).replace("\r\n", "\n").replace("_x000D_", "").strip()
