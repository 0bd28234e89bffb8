"""Reading what the platform answers: an answer that is not shaped as its page says is a PlatformError."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from wecom.errors import BAD_ANSWER, PlatformError


def moment(seconds: int | None) -> datetime | None:
    """A time as the platform writes it, in UTC; it writes 0 for none."""
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


@contextmanager
def reading(path: str) -> Iterator[None]:
    """Parse an answer of this endpoint within. Raises PlatformError where it is misshapen."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        raise PlatformError(BAD_ANSWER, path) from None
