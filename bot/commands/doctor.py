"""`steward doctor`."""

import asyncio
import getpass
import json
import os
import secrets
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated

import httpx2
import typer
from rich.console import Console

from bot.clocks import SystemClock
from bot.commands.opening import ENV_FILE, AsJson, could_not, with_store
from bot.doctor import examine as practice
from bot.doctor.finding import Finding, Overheard, Patient
from bot.doctor.words import show
from bot.settings import Settings, SettingsError, load_settings
from store.database import Database, StoreUnavailable, parse_url
from wecom.gateway import Gateway
from wecom.limits import Unlimited
from wecom.tokens import MemoryTokens

SECONDS = 8.0  # for one request to our own address


def doctor(
    url: Annotated[str | None, typer.Option(help="外网打开群管家的网址；不写就用 STEWARD_PUBLIC_URL")] = None,
    confirm: Annotated[
        str | None, typer.Option(metavar="|".join(practice.SWITCHES), help="您看过了：这个开关已打开（接口查不到）")
    ] = None,
    by: Annotated[str | None, typer.Option(metavar="名字", help="和 --confirm 一起用：是谁看的")] = None,
    as_json: AsJson = False,
) -> None:
    """检查和企业微信之间有没有问题：密钥、IP、权限、可见范围、回调地址……每个问题都说怎么改。"""
    if confirm:
        _confirm(confirm, by or getpass.getuser())
        return
    try:
        settings = load_settings(os.environ, ENV_FILE)
    except SettingsError as error:
        findings = practice.broken_settings(error.problems)
    else:
        findings = asyncio.run(_examine(settings, (url or settings.steward_public_url).rstrip("/")))
    _report(findings, as_json=as_json)


def _report(findings: list[Finding], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps([each.model_dump() for each in findings], ensure_ascii=False, indent=2))
    else:
        show(findings, Console())
    raise typer.Exit(1 if any(each.state == "wrong" for each in findings) else 0)


def _confirm(switch: str, by: str) -> None:
    if switch not in practice.SWITCHES:
        could_not(f"没有「{switch}」这个开关，可以确认的是：{'、'.join(practice.SWITCHES)}。")

    async def write(store: Database) -> None:
        await practice.confirm(store, switch, by=by, now=SystemClock().now())

    with_store(write)
    console = Console()
    console.print(f"记下了：{by} 确认「{switch}」已打开。", markup=False, highlight=False)
    console.print("下一步：steward doctor", style="dim", markup=False, highlight=False)


async def _examine(settings: Settings, public: str) -> list[Finding]:
    clock = SystemClock()
    overheard = Overheard(httpx2.URL(settings.wecom_api_base).host, clock)
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(
            httpx2.AsyncClient(event_hooks={"response": [overheard.listen]}, timeout=SECONDS)
        )
        store, trouble = await _open(settings)
        if store is not None:
            stack.push_async_callback(store.close)
        wecom = Gateway(
            client,
            base=settings.wecom_api_base,
            corp_id=settings.wecom_corp_id,
            secret=settings.wecom_secret.get_secret_value(),
            agent_id=settings.wecom_agent_id,
            clock=clock,
            tokens=MemoryTokens(),
            limiter=Unlimited(),
        )
        patient = Patient(
            settings=settings,
            store=store,
            store_trouble=trouble,
            wecom=wecom,
            client=client,
            overheard=overheard,
            clock=clock,
            random=secrets.token_bytes,
            public=public,
            local=f"http://{_reachable(settings.steward_host)}:{settings.steward_port}",
        )
        return await practice.examine(patient)


async def _open(settings: Settings) -> tuple[Database | None, str]:
    """The database as it is; it is not made here. Also why it cannot be opened."""
    url = settings.database_url.get_secret_value()
    dialect, address = parse_url(url)
    if dialect == "sqlite" and not await asyncio.to_thread(Path(address).exists):
        return None, ""
    try:
        return await Database.open(url), ""
    except StoreUnavailable as error:
        return None, str(error)


def _reachable(host: str) -> str:
    """Where a process that listens on `host` can be reached from this machine."""
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104 - not bound here
