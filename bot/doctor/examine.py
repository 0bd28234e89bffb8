"""`steward doctor`: what may be wrong between this bot and WeCom, each with the cure and where to click.

Nothing is changed and nobody is sent anything. What no API shows is asked of a person and stays 未确认 until then.
"""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from bot import say
from bot.config.needs import given, parse_book
from bot.config.read import ConfigError, read_written
from bot.doctor import callback as doctor_callback
from bot.doctor import draws as doctor_draws
from bot.doctor import identity as doctor_identity
from bot.doctor import pay as doctor_pay
from bot.doctor import platform as doctor_platform
from bot.doctor import welcome as doctor_welcome
from bot.doctor.finding import Finding, Patient, ok, skipped, unsure, wrong
from rules.native_controls import CONTROLS, Control
from store import configs, matters, migrate, observations, queue, staff
from store.database import Database, StoreUnavailable, Tx
from store.inbox import Inbox
from store.outbox import Outbox

LATE = timedelta(minutes=5)


SWITCHES: dict[str, Control] = {each.name: each for each in CONTROLS}
"""What can be confirmed, by its name."""


async def examine(patient: Patient) -> list[Finding]:
    """Everything that can be looked at, in the order in which it should be put right."""
    settings = patient.settings
    found = [ok("设置", "必填的设置都填了，格式没有问题")]
    found += await asyncio.to_thread(_config_file, settings.steward_config, given(settings))
    database = await _database(patient)
    found += database
    if any(each.state == "wrong" for each in database):
        patient = replace(patient, store=None)
    found += await doctor_platform.examine(patient)
    found += await doctor_callback.examine(patient)
    if patient.store is not None:
        async with patient.store.read() as tx:
            found += [*await _queues(tx, patient), *await _config_in_force(tx, settings.steward_config)]
            found += [*await doctor_welcome.examine(tx), *await doctor_draws.examine(tx, patient.clock.now())]
            found += await _switches(tx)
    else:
        found += [unsure(name, "未确认", switch.clicks) for name, switch in SWITCHES.items()]
    return [*found, *await doctor_identity.examine(patient), *await doctor_pay.examine(patient)]


def broken_settings(problems: Sequence[str]) -> list[Finding]:
    """What is found where the settings cannot be used: nothing else can be looked at."""
    found = [wrong("设置", problem, "改 .env 或环境变量（样例见 .env.example）。") for problem in problems]
    return [*found, skipped("其余各项", "设置改好以后再查")]


async def confirm(store: Database, switch: str, *, by: str, now: datetime) -> None:
    """Write down who has seen that a native switch is on. Raises KeyError where there is none of that name."""
    SWITCHES[switch]
    async with store.write() as tx:
        await observations.note(tx, _name(switch), now=now, by=by)


# --- our own house ----------------------------------------------------------------------------------------------------


def _config_file(path: Path, there: Collection[str]) -> list[Finding]:
    try:
        parse_book(read_written(path), path.name, there)
    except ConfigError as error:
        return [wrong("设置文件", f"{path.name} 有 {len(error.problems)} 处要改", "运行 steward check，照着改。")]
    return [ok("设置文件", f"{path.name} 写得没有错")]


async def _database(patient: Patient) -> list[Finding]:
    store = patient.store
    if patient.store_trouble:
        return [wrong("数据库", f"打不开：{patient.store_trouble}", "看看 DATABASE_URL、磁盘空间和文件权限。")]
    if store is None:
        return [unsure("数据库", "还没有数据库", "第一次运行 steward serve 时会建。")]
    try:
        async with store.read() as tx:
            revision = await migrate.revision(tx)
    except (StoreUnavailable, DBAPIError) as error:
        return [wrong("数据库", f"用不了：{type(error).__name__}", "看看 DATABASE_URL、磁盘空间和文件权限。")]
    if revision not in migrate.revisions():
        return [wrong("数据库", f"版本 {revision} 比程序新", "请升级程序，或恢复旧的备份。")]
    if revision != migrate.revisions()[0]:
        return [wrong("数据库", "版本比程序旧", "启动一次 steward serve，会自动升级。")]
    return [ok("数据库", f"{store.dialect}，版本 {revision}")]


async def _queues(tx: Tx, patient: Patient) -> list[Finding]:
    depths = [depth for table in (Inbox, Outbox) for depth in await queue.counts(tx, table)]
    now = patient.clock.now()
    late = [now - depth.oldest_due_at for depth in depths if depth.state == "open"]
    oldest = max(late, default=timedelta(0))
    dead = sum(depth.rows for depth in depths if depth.state == "dead")
    found = []
    if oldest > LATE:
        cure = "steward serve 在运行吗？在运行就看日志里的错误；steward status 看积压在哪里。"
        found.append(wrong("积压", f"有事等了{say.span(oldest)}没办", cure))
    if dead:
        cure = "steward status 列出原因；改好以后 steward status --retry all。"
        found.append(wrong("办不成的事", f"{dead} 件", cure))
    return found or [ok("积压", "没有积压，也没有办不成的事")]


async def _config_in_force(tx: Tx, path: Path) -> list[Finding]:
    active = await configs.newest(tx)
    if active is None:
        return [unsure("生效的设置", "还没有生效过", "启动 steward serve 以后生效。")]
    since = f"{say.version(active.hash)}，{say.at(active.activated_at)} 起"
    try:
        same = (await asyncio.to_thread(read_written, path)).hash == active.hash
    except ConfigError:
        same = False
    if same:
        return [ok("生效的设置", f"和磁盘上的一样（{since}）")]
    cure = "文件有错就先改好（steward check）；没有错，保存后几秒内生效；还不生效就看日志，或重启 steward serve。"
    return [wrong("生效的设置", f"还是旧的（{since}），和磁盘上的 {path.name} 不同", cure)]


# --- what only people can see -----------------------------------------------------------------------------------------


async def _switches(tx: Tx) -> list[Finding]:
    guard = await observations.seen(tx, observations.NATIVE_GUARD)
    seen = f"；{say.at(guard.at)} 看到它起过作用" if guard else ""
    monthly = await matters.last_done(tx, observations.MONTHLY)
    found = []
    for name, switch in SWITCHES.items():
        row = await observations.seen(tx, _name(name))
        more = seen if name == "防骚扰" else ""
        if monthly is not None and (row is None or row.at < monthly.when):
            text = f"{await _who(tx, monthly.by)} 在 {say.at(monthly.when)} 每月核对时看过{more}"
            found.append(ok(name, text))
        elif row is None:
            cure = f"{switch.clicks}看过以后运行 steward doctor --confirm {name} --by 您的名字"
            found.append(unsure(name, f"接口查不到，要请人看一眼：{switch.what}{more}", cure))
        else:
            found.append(ok(name, f"{row.by or '有人'} 在 {say.at(row.at)} 确认过已打开{more}"))
    return found


async def _who(tx: Tx, userid: str) -> str:
    return (await staff.names(tx, [userid]))[userid] if userid else "有人"


def _name(switch: str) -> str:
    return f"confirmed:{switch}"
