"""Forms are taken from our own pages only, at the address where the page is."""

import httpx2
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from bot.links import Links
from bot.pages.page import Desk, Refused, explain, read_form
from bot.pages.throttle import Throttle
from bot.worker import Rules
from rules.book import Book
from simulator import VirtualClock
from store.database import Database

PUBLIC, CAMPAIGN = "https://bot.test", "https://draw.test"


async def _answer(store: Database, base: str, **headers: str) -> int:
    clock = VirtualClock()
    links = Links(PUBLIC, "a-key-for-tests-only", clock)
    throttle = Throttle(clock, per_minute=60)
    desk = Desk(
        store=store,
        rules=Rules(Book()),
        links=links,
        clock=clock,
        wake=lambda: None,
        guests=throttle,
        strangers=throttle,
    )
    app = FastAPI()

    @app.post("/d/x")
    async def take(request: Request) -> Response:
        try:
            return JSONResponse(dict(await read_form(desk, request, "draw", "x:1", base=base)))
        except Refused as refused:
            return explain(refused)

    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url=CAMPAIGN) as client:
        said = {"key": links.form_key("draw", "x:1"), "act": "enter"}
        return (await client.post("/d/x", data=said, headers=headers)).status_code


@pytest.mark.parametrize(
    ("base", "origin", "status"),
    [
        (CAMPAIGN, CAMPAIGN, 200),
        (CAMPAIGN, "null", 200),
        (CAMPAIGN, PUBLIC, 403),
        (CAMPAIGN, "https://elsewhere.test", 403),
        ("", PUBLIC, 200),
        ("", CAMPAIGN, 403),
    ],
)
async def test_a_form_comes_from_the_address_its_page_is_at(
    sqlite_db: Database, base: str, origin: str, status: int
) -> None:
    """A campaign page takes forms from the campaign's address, which is not the public one; no page takes others'."""
    assert await _answer(sqlite_db, base, origin=origin) == status


async def test_another_sites_form_is_refused(sqlite_db: Database) -> None:
    """What a browser says of the site decides where it hides the origin."""
    assert await _answer(sqlite_db, CAMPAIGN, **{"origin": "null", "sec-fetch-site": "cross-site"}) == 403
