"""Puts the bot together, for `serve`, the demo and the tests alike. All that differs between them is handed in."""

import hmac
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import httpx2
from fastapi import FastAPI

from bot import health
from bot.actions.action import Hands
from bot.callback import AsgiApp, Callback, in_front
from bot.health import Pulse
from bot.links import Links
from bot.measure import Measure
from bot.metrics import Metrics
from bot.pages.appeal import appeal_page
from bot.pages.checkin import checkin_page
from bot.pages.checkin_report import checkin_report_page
from bot.pages.codes import Gallery, codes_page, shown_codes
from bot.pages.draw import draw_page
from bot.pages.entrance import entrance_page
from bot.pages.ingest import Intake, ingest_messages
from bot.pages.lockout import Lockout
from bot.pages.login import login_pages
from bot.pages.open_group import App, open_page
from bot.pages.page import Desk, static_files
from bot.pages.preview import preview_page
from bot.pages.redeem import redeem_page
from bot.pages.report import report_page
from bot.pages.sends import sends_page
from bot.pages.throttle import Throttle
from bot.pages.todo import todo_page
from bot.pages.visitor import Front
from bot.pages.week import week_page
from bot.pages.winners import winners_page
from bot.pictures import Pictures
from bot.server import Check, RequestIds, create_app
from bot.settings import Settings
from bot.worker import Rules, Worker, make_worker
from bot.wxpay import wxpay_of
from rules.clock import Clock
from rules.events import RosterReadDue
from rules.lanes import NORMAL
from store import draws, inbox, pay_accounts, payouts, posts
from store.database import Database
from store.inbox_writer import InboxWriter
from store.migrate import upgrade
from wecom.crypto import Crypto
from wecom.gateway import Gateway
from wecom.limits import Limiter
from wecom.lookups import agent_ticket
from wecom.mp import Mp
from wecom.tokens import MemoryTokens, TokenCache, TokenKeeper


@dataclass(frozen=True)
class Outside:
    """What the bot is given of the world: time, network, randomness, and how fast it may call.

    `tokens`: where several processes keep their access token; None: each bot for itself. `checks`: more for `/readyz`.
    """

    clock: Clock
    client: httpx2.AsyncClient
    new_token: Callable[[], str]
    limiter: Limiter
    loopback_only: bool = False
    tokens: TokenCache | None = None
    checks: Mapping[str, Check] = field(default_factory=dict)


@dataclass(frozen=True)
class Bot:
    """A bot that is put together. `app` answers HTTP: callbacks by `callback`, which may be handed them directly, all
    else by the `site`. `worker` does the work; whoever sweeps beats the `pulse`.
    """

    store: Database
    worker: Worker
    app: AsgiApp
    callback: Callback
    site: FastAPI
    metrics: Metrics
    clock: Clock
    pulse: Pulse
    measuring: Measure

    async def measure(self) -> None:
        """Bring gauges and counts up to date (bot/measure.py)."""
        await self.measuring.take()

    async def read_roster(self, key: str) -> None:
        """Have all groups listed and read; `key` says which occasion this is."""
        now = self.clock.now()
        async with self.store.write() as tx:
            await posts.look_again(tx, now=now)  # the clock may have been wrong when we were here last
            await payouts.look_again(tx, now=now)
            await inbox.put(
                tx,
                source="timer",
                key=f"roster:{key}",
                event=RosterReadDue(at=now),
                lane=NORMAL,
                ordering_key="roster",
                due_at=now,
                now=now,
            )


@asynccontextmanager
async def open_bot(
    settings: Settings, rules: Rules, outside: Outside, *, wake: Callable[[], None] = lambda: None
) -> AsyncIterator[Bot]:
    """A bot on a migrated database, closed at the end of the block. `wake` is called when there may be work.

    Raises StoreUnavailable where the database does not answer.
    """
    await upgrade(settings.database_url.get_secret_value())
    store = await Database.open(settings.database_url.get_secret_value())
    writer = InboxWriter(store, wake=wake)
    metrics, pulse = Metrics(), Pulse()
    measure = Measure(store, metrics, outside.clock)
    tokens = outside.tokens or MemoryTokens()
    wecom = Gateway(
        outside.client,
        base=settings.wecom_api_base,
        corp_id=settings.wecom_corp_id,
        secret=settings.wecom_secret.get_secret_value(),
        agent_id=settings.wecom_agent_id,
        clock=outside.clock,
        tokens=tokens,
        limiter=outside.limiter,
        observe=measure.api_call,
        loopback_only=outside.loopback_only,
    )
    crypto = Crypto(
        settings.wecom_callback_token.get_secret_value(),
        settings.wecom_callback_aes_key.get_secret_value(),
        settings.wecom_corp_id,
    )
    callback = Callback(crypto, writer, outside.clock, metrics, settings.wecom_callback_max_age)
    token = settings.steward_metrics_token
    app = create_app(
        metrics,
        {**health.checks(store, pulse, outside.clock, rules), **outside.checks},
        metrics_token=token.get_secret_value() if token else None,
        domain_codes=settings.wecom_domain_verify,
        https=settings.steward_public_url.startswith("https:"),
        crowd=Throttle(outside.clock, per_minute=12_000),
        guesses=Lockout(outside.clock, most=10, span=timedelta(minutes=15)),
    )
    wxpay = wxpay_of(settings, loopback_only=outside.loopback_only)
    if wxpay is not None:
        async with store.write() as tx:
            await pay_accounts.note_account(tx, wxpay.mch_id, wxpay.app_id, now=outside.clock.now())
    async with store.write() as tx:
        await draws.note_house(
            tx,
            secret=_draw_secret(settings),
            address=settings.campaign_url,
            public=settings.steward_public_url,
            now=outside.clock.now(),
        )
    links = Links(settings.steward_public_url, settings.steward_secret_key.get_secret_value(), outside.clock)
    desk = Desk(
        store=store,
        rules=rules,
        links=links,
        clock=outside.clock,
        wake=wake,
        guests=Throttle(outside.clock, per_minute=60),
        strangers=Throttle(outside.clock, per_minute=30),
    )
    tickets = TokenKeeper(
        lambda: agent_ticket(wecom, outside.clock.now()),
        key=f"{settings.wecom_agent_id}:ticket",
        cache=tokens,
        clock=outside.clock,
    )
    to_open = App(settings.wecom_corp_id, settings.wecom_agent_id, tickets, outside.new_token)
    front = Front(
        desk=desk,
        wecom=wecom,
        corp_id=settings.wecom_corp_id,
        agent_id=settings.wecom_agent_id,
        oauth_base=settings.wecom_oauth_base,
        mp=_mp(settings, outside, measure),
        logins=Throttle(outside.clock, per_minute=600),
        lost=Lockout(outside.clock, most=100, span=timedelta(minutes=10)),
        new_token=outside.new_token,
        campaign_url=settings.campaign_url,
    )
    ingest_secret = settings.steward_ingest_secret
    intake = Intake(
        store=store,
        clock=outside.clock,
        metrics=metrics,
        wake=wake,
        secret=ingest_secret.get_secret_value() if ingest_secret else None,
    )
    gallery = Gallery(settings.steward_config.parent)
    pictures = Pictures(outside.client, loopback_only=outside.loopback_only)
    pages = (todo_page(desk), open_page(desk, to_open), report_page(desk, outside.new_token), appeal_page(desk))
    public = (
        login_pages(front),
        codes_page(desk, gallery, pictures),
        shown_codes(desk, gallery, pictures),
        entrance_page(front, pictures, Throttle(outside.clock, per_minute=1200)),
        draw_page(front, Throttle(outside.clock, per_minute=6000)),
        checkin_page(front, Throttle(outside.clock, per_minute=6000)),
    )
    content = settings.steward_config.parent
    of_posts = (
        sends_page(desk, content),
        preview_page(desk, content),
        week_page(desk),
        checkin_report_page(desk),
        winners_page(desk),
    )
    for router in (static_files(), *pages, redeem_page(desk), *of_posts, *public, ingest_messages(intake)):
        app.include_router(router)
    worker = make_worker(
        store=store,
        wecom=wecom,
        rules=rules,
        clock=outside.clock,
        metrics=metrics,
        new_token=outside.new_token,
        hands=Hands(
            wecom=wecom,
            links=links,
            client=outside.client,
            clock=outside.clock,
            webhook_secret=settings.steward_webhook_secret.get_secret_value()
            if settings.steward_webhook_secret
            else None,
            loopback_only=outside.loopback_only,
            content=settings.steward_config.parent,
            wxpay=wxpay,
        ),
    )
    try:
        yield Bot(
            store=store,
            worker=worker,
            app=in_front(callback, RequestIds(app, outside.new_token)),
            callback=callback,
            site=app,
            metrics=metrics,
            clock=outside.clock,
            pulse=pulse,
            measuring=measure,
        )
    finally:
        if wxpay is not None:
            wxpay.close()
        await writer.close()
        await store.close()


def _draw_secret(settings: Settings) -> str:
    """Seeds of draws are made from it; the key that signs links cannot be told from it."""
    return hmac.digest(settings.steward_secret_key.get_secret_value().encode(), b"draws", "sha256").hex()


def _mp(settings: Settings, outside: Outside, measure: Measure) -> Mp | None:
    """The brand's own 公众号, where it is set."""
    if settings.mp_app_id is None or settings.mp_secret is None:
        return None
    return Mp(
        outside.client,
        settings.mp_api_base,
        settings.mp_app_id,
        settings.mp_secret.get_secret_value(),
        loopback_only=outside.loopback_only,
        observe=measure.api_call,
    )
