"""Request ids: on the answer, and on every log line about the request."""

from collections.abc import Iterator
from itertools import count
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from loguru import logger

from bot.metrics import Metrics
from bot.server import RequestIds, create_app


@pytest.fixture
def lines() -> Iterator[list[dict[str, Any]]]:
    logged: list[dict[str, Any]] = []
    sink = logger.add(lambda said: logged.append(dict(said.record["extra"])), level="INFO")
    yield logged
    logger.remove(sink)


def app_that_talks() -> FastAPI:
    app = create_app(Metrics(), {})

    @app.get("/talk")
    async def talk() -> str:
        logger.info("hello")
        return "hello"

    @app.get("/break")
    async def break_down() -> None:
        raise ValueError("broken")

    return app


async def test_an_answer_names_the_request_that_the_log_names(lines: list[dict[str, Any]]) -> None:
    """What somebody reports is found in the log, also where the page failed; each request has an id of its own."""
    numbers = (f"request-{number}" for number in count())
    app = RequestIds(app_that_talks(), lambda: next(numbers))
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://bot") as client:
        talked, broken = await client.get("/talk"), await client.get("/break")
    assert (talked.headers["x-request-id"], talked.status_code) == ("request-0", 200)
    assert (broken.headers["x-request-id"], broken.status_code) == ("request-1", 500)
    assert {"request": "request-0"} in lines
    assert {"request": "request-1"} in lines
