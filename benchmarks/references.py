"""REFERENCES, no part of the bot: what the callback route is compared with, each as a server of its own.

`raw`: the least that uvicorn can do, "ok" to everything. `baseline`: how such a route is usually written: FastAPI,
wechatpy's decryption, one SQLAlchemy commit per request (with the same durability as ours).
"""

import argparse
import sqlite3
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import uvicorn
import uvloop
from fastapi import FastAPI, Request, Response
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.pool import ConnectionPoolEntry
from wechatpy.enterprise.crypto import WeChatCrypto

from simulator import corp


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.references", description=__doc__)
    parser.add_argument("which", choices=["raw", "baseline"])
    parser.add_argument("port", type=int)
    parser.add_argument("--database", help="an SQLAlchemy address with an async driver; for the baseline")
    wanted = parser.parse_args()
    uvloop.run(
        _serve_baseline(wanted.database, wanted.port) if wanted.which == "baseline" else _serve(raw, wanted.port)
    )


async def _serve(app: Any, port: int) -> None:
    # Set like the bot's own server: none of the difference may come from here.
    config = uvicorn.Config(
        app,
        port=port,
        http="httptools",
        loop="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
    )
    await uvicorn.Server(config).serve()


async def raw(
    scope: Any, _receive: Callable[[], Awaitable[Any]], send: Callable[[dict[str, Any]], Awaitable[None]]
) -> None:
    """The least that an ASGI application can do."""
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


class _Base(DeclarativeBase):
    pass


class Received(_Base):
    """One callback."""

    __tablename__ = "received"

    id: Mapped[int] = mapped_column(primary_key=True)
    payload: Mapped[str]
    received_at: Mapped[str]


async def _serve_baseline(database: str, port: int) -> None:
    engine = _engine(database)
    async with engine.begin() as connection:
        await connection.run_sync(_Base.metadata.create_all)
    try:
        await _serve(baseline(engine), port)
    finally:
        await engine.dispose()


def baseline(engine: AsyncEngine) -> FastAPI:
    """The usual way."""
    app = FastAPI()
    crypto = WeChatCrypto(corp.TOKEN, corp.AES_KEY, corp.CORP_ID)

    @app.post("/callback")
    async def callback(request: Request, msg_signature: str, timestamp: str, nonce: str) -> Response:
        xml = crypto.decrypt_message(await request.body(), msg_signature, timestamp, nonce)
        async with AsyncSession(engine) as session:
            session.add(Received(payload=xml, received_at=datetime.now(UTC).isoformat()))
            await session.commit()
        return Response()

    return app


def _engine(database: str) -> AsyncEngine:
    if not database.startswith("sqlite"):
        return create_async_engine(database)
    # One connection: with the usual pool they wait for each other inside SQLite, and it is slower still.
    engine = create_async_engine(database, pool_size=1, max_overflow=0, pool_timeout=60)

    @event.listens_for(engine.sync_engine, "connect")
    def be_durable(connection: sqlite3.Connection, _record: ConnectionPoolEntry) -> None:
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            connection.execute(f"PRAGMA {pragma}").close()

    return engine


if __name__ == "__main__":
    main()
