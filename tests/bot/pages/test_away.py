"""Pages while the database is away."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
from fastapi import FastAPI

from bot.links import Links
from bot.pages.page import Desk
from bot.pages.throttle import Throttle
from bot.pages.todo import todo_page
from bot.worker import Rules
from rules.actions import Link
from rules.book import Book
from simulator import VirtualClock
from store.database import Database, StoreUnavailable, Tx


class Away(Database):
    """A database that does not answer."""

    def __init__(self) -> None:
        pass

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Tx]:
        raise StoreUnavailable("gone")
        yield

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Tx]:
        raise StoreUnavailable("gone")
        yield


async def test_page_and_form_say_so() -> None:
    """503 in words, and that the press was not written down."""
    clock = VirtualClock()
    links = Links("http://127.0.0.1", "a key of sixteen characters", clock)
    throttle = Throttle(clock, per_minute=10)
    desk = Desk(
        store=Away(),
        rules=Rules(Book()),
        links=links,
        clock=clock,
        wake=lambda: None,
        guests=throttle,
        strangers=throttle,
    )
    app = FastAPI()
    app.include_router(todo_page(desk))
    token = links.token(Link(page="todo", userid="wangwu", issued_at=clock.now()))
    form = {"key": links.form_key("todo", token), "press": "release:1"}
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://127.0.0.1") as browser:
        looked = await browser.get(f"/todo/{token}")
        pressed = await browser.post(f"/todo/{token}", data=form)
    for answer in (looked, pressed):
        assert (answer.status_code, "没有记下" in answer.text) == (503, True)
