"""Logging: loguru on one stream, the standard library's loggers led into it, and secrets scrubbed as a last line."""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TextIO
from urllib.parse import quote, quote_plus

from loguru import logger

if TYPE_CHECKING:
    from loguru import Record

_SHORTEST = 4  # scrubbing shorter values would blot out ordinary words and numbers
_BLOT = "[secret]"
_QUIET = (
    "asyncio",
    "uvicorn",
    "httpx2",
    "httpcore2",
    "aiosqlite",
    "multipart",
)  # their INFO is noise here


def set_up_logs(level: str = "INFO", secrets: Iterable[str] = (), stream: TextIO | None = None) -> None:
    """Send all logs of this process to `stream` (default: stderr), readable and in English.

    `secrets` appear in none of them. Ids are added by `logger.contextualize(event=…, case=…)`.
    Variables are never shown in tracebacks (loguru's `diagnose` would print secrets).
    """
    logger.remove()
    logger.configure(patcher=redact(secrets), extra={})
    logger.add(stream or sys.stderr, level=level, format=_line, diagnose=False, backtrace=False)
    logging.basicConfig(handlers=[_Intercept()], level=0, force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # it warns of every tick that a busy machine skips


def redact(secrets: Iterable[str]) -> Callable[[Record], None]:
    """A loguru patcher that blots the values out of message, extra and exception, also in their URL-encoded form."""
    known = {form for secret in secrets if len(secret) >= _SHORTEST for form in _forms(secret)}
    longest_first = sorted(known, key=len, reverse=True)
    pattern = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")

    def scrub(record: Record) -> None:
        record["message"] = pattern.sub(_BLOT, record["message"])
        for key, value in record["extra"].items():
            shown = str(value)
            if pattern.search(shown):
                record["extra"][key] = pattern.sub(_BLOT, shown)
        if record["exception"] is not None:
            text = "".join(traceback.format_exception(*record["exception"])).rstrip()
            if pattern.search(text):
                # The exception itself cannot be cleaned; its text takes its place.
                record["message"] += "\n" + pattern.sub(_BLOT, text)
                record["exception"] = None

    return scrub


def _forms(secret: str) -> tuple[str, ...]:
    """As it is, as it stands in a URL, and as Python shows it in a repr."""
    return secret, quote(secret, safe=""), quote_plus(secret), repr(secret)[1:-1]


def _line(record: Record) -> str:
    """The template of one line. Names of extras go in, their values do not: those may hold braces."""
    ids = "".join(f" {key}={{extra[{key}]}}" for key in record["extra"] if key.isidentifier())
    return (
        f"{{time:YYYY-MM-DD HH:mm:ss.SSS!UTC}}Z <level>{{level: <8}}</level> {{name}}{ids} | {{message}}\n{{exception}}"
    )


class _Intercept(logging.Handler):
    """Hands records of the standard library's logging to loguru, with the caller they came from."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            level: str | int = logger.level(record.levelname).name
        except ValueError:
            level = record.levelno

        def name_the_caller(seen: Record) -> None:
            seen["name"], seen["function"], seen["line"] = record.name, record.funcName, record.lineno

        logger.patch(name_the_caller).opt(exception=record.exc_info).log(level, "{}", record.getMessage())
