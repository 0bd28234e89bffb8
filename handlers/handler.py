"""The shape of every handler: two functions in a file, one that may wait for the platform and one that may not."""

from datetime import datetime
from typing import Any, Protocol

from rules.book import Book
from rules.decision import Decision
from store.database import Database, Tx
from wecom.gateway import Gateway


class Handler(Protocol):
    """`look_up` holds no transaction; `handle` makes no call. What the first saw is all that the second knows."""

    async def look_up(self, event: Any, wecom: Gateway, store: Database, now: datetime) -> Any: ...

    async def handle(self, event: Any, seen: Any, tx: Tx, book: Book, now: datetime) -> list[Decision]: ...
