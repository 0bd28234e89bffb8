"""The doctor against the simulated platform: each fault is named, with its cure, and nothing else is called wrong."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest

from bot.callback import Message, Receive, Scope, Send
from bot.config.read import config_hash
from bot.doctor import examine as doctor
from bot.doctor.finding import Finding, Overheard, Patient
from bot.settings import Settings
from rules.book import Book
from simulator import create_app
from store import configs, matters, roster, welcome
from store.outbox import Outbox
from store.welcome import WelcomeTemplateRow
from tests.life.conftest import Life, StartLife, settings_for
from wecom.gateway import Gateway
from wecom.limits import Unlimited
from wecom.tokens import MemoryTokens

OTHER_KEY = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefg"
SECONDS = timedelta(seconds=1)
CONFIG = "managers: [李华]\n"


@dataclass
class Practice:
    """A bot beside a world, and a doctor with settings of their own, which a test may make differ."""

    life: Life
    config: Path
    skew: timedelta = timedelta(0)

    async def examine(self, *, unreachable: bool = False, dead: bool = False, **settings: Any) -> list[Finding]:
        """`unreachable`: the public address leads nowhere. `dead`: nor does the local one."""
        given = self._settings(settings)
        overheard = Overheard("127.0.0.1", self.life.clock)
        to_bot = httpx2.ASGITransport(app=self.life.bot.app)
        mounts: dict[str, httpx2.AsyncBaseTransport | None] = {
            "http://127.0.0.1": httpx2.ASGITransport(app=self._world),
            "http://public": Nowhere() if unreachable or dead else to_bot,
            "http://local": Nowhere() if dead else to_bot,
        }
        async with httpx2.AsyncClient(mounts=mounts, event_hooks={"response": [overheard.listen]}) as client:
            wecom = Gateway(
                client,
                base=given.wecom_api_base,
                corp_id=given.wecom_corp_id,
                secret=given.wecom_secret.get_secret_value(),
                agent_id=given.wecom_agent_id,
                clock=self.life.clock,
                tokens=MemoryTokens(),
                limiter=Unlimited(),
            )
            return await doctor.examine(
                Patient(
                    settings=given,
                    store=self.life.bot.store,
                    wecom=wecom,
                    client=client,
                    overheard=overheard,
                    clock=self.life.clock,
                    random=lambda size: bytes(range(size)),
                    public="http://public",
                    local="http://local",
                )
            )

    def _settings(self, differing: dict[str, Any]) -> Settings:
        plain = settings_for(self.life.world, "sqlite:///not-used.db").model_dump(exclude_unset=True)
        return Settings.explicit(**{**plain, "steward_config": self.config, **differing})

    async def _world(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The platform, with the Date that servers put on their answers."""
        date = format_datetime(self.life.clock.now() - self.skew, usegmt=True).encode()

        async def with_date(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], (b"date", date)]}
            await send(message)

        await create_app(self.life.world)(scope, receive, with_date)


class Nowhere(httpx2.AsyncBaseTransport):
    """Nobody answers here."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("nobody listens", request=request)


@pytest.fixture
async def practice(start_life: StartLife, tmp_path: Path) -> AsyncIterator[Practice]:
    """A shop with nothing wrong: a group that was read, a callback that came, the config in force."""
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG)
    async with _healthy(start_life, config) as ready:
        yield ready


@asynccontextmanager
async def _healthy(start_life: StartLife, config: Path) -> AsyncIterator[Practice]:
    async with start_life(Book()) as life:
        life.world.add_staff("lihua", "李华")
        life.world.add_staff("wangwu", "王五")
        life.world.create_group("静安1群", owner="wangwu", admins=["lihua"])
        await life.bot.read_roster("start")
        await life.run(10 * SECONDS)
        async with life.bot.store.write() as tx:
            await configs.activate(tx, CONFIG, config_hash=config_hash(CONFIG), now=life.clock.now())
        yield Practice(life, config)


def bad(findings: list[Finding]) -> dict[str, str]:
    """What is wrong: check → everything said of it."""
    return {each.check: f"{each.text} {each.cure}" for each in findings if each.state == "wrong"}


async def test_nothing_is_wrong_where_nothing_is(practice: Practice) -> None:
    """A healthy installation has no findings, and says what it looked at."""
    found = await practice.examine()
    assert bad(found) == {}
    looked_at = {each.check for each in found if each.state == "ok"}
    assert looked_at >= {
        "密钥",
        "应用 ID",
        "可信 IP",
        "接口权限",
        "可见范围",
        "时钟",
        "回调地址",
        "最近的回调",
        "生效的设置",
    }


@pytest.mark.parametrize(
    ("settings", "check", "errcode", "cure"),
    [
        ({"wecom_secret": "wrong-secret"}, "密钥", 40001, "应用管理 → 本应用 → Secret"),
        ({"wecom_corp_id": "wwsomebodyelse"}, "企业 ID", 40013, "我的企业 → 企业信息 → 企业ID"),
    ],
)
async def test_a_wrong_secret_or_corp_is_named(
    practice: Practice, settings: dict[str, Any], check: str, errcode: int, cure: str
) -> None:
    """What gettoken refuses is told apart, with the place to copy the right value from."""
    found = await practice.examine(**settings)
    finding = next(each for each in found if each.check == check)
    assert (finding.state, finding.errcode) == ("wrong", errcode)
    assert cure in finding.cure
    assert "wrong-secret" not in str(found)


async def test_the_agent_id_of_another_app_is_named(practice: Practice) -> None:
    """Everything can be read and no card can be sent: it is found before the first card, by both settings' names."""
    practice.life.world.contact_permission = False  # which is found besides
    found = bad(await practice.examine(wecom_agent_id=1000003))
    assert list(found) == ["应用 ID", "接口权限"]
    assert "WECOM_AGENT_ID 1000003" in found["应用 ID"]
    assert "应用管理 → 本应用：AgentId 和 Secret" in found["应用 ID"]


async def test_an_ip_that_is_not_allowed_is_named(practice: Practice) -> None:
    """60020 is the trusted IP's fault, and nothing behind it is blamed."""
    practice.life.world.ip_allowed = False
    found = await practice.examine()
    assert list(bad(found)) == ["可信 IP"]
    assert "企业可信IP" in bad(found)["可信 IP"]


async def test_a_missing_permission_is_named(practice: Practice) -> None:
    """48002 says in which list of the console the app is not ticked."""
    practice.life.world.contact_permission = False
    assert "可调用接口的应用" in bad(await practice.examine())["接口权限"]


async def test_an_owner_outside_the_visible_range_is_named(practice: Practice) -> None:
    """Whom the app cannot see is named with the groups that cannot be read because of it."""
    practice.life.world.staff["wangwu"].visible = False
    [finding] = [each for each in await practice.examine() if each.check == "可见范围" and "群主或" in each.text]
    assert finding.errcode == 60011
    assert "王五" in finding.text
    assert "可见范围" in finding.cure
    assert any("静安1群" in each.text for each in await practice.examine() if each.state == "wrong")


async def test_an_owner_who_serves_nobody_is_named(practice: Practice) -> None:
    """An owner who lost 客户联系 is told apart from one outside the range."""
    practice.life.world.staff["wangwu"].serves = False
    found = bad(await practice.examine())
    assert list(found) == ["客户联系"]
    assert "王五" in found["客户联系"]


async def test_an_owner_who_has_left_is_named(practice: Practice) -> None:
    """A group whose owner left the corp has to be inherited by somebody."""
    practice.life.world.staff["wangwu"].left = True
    assert "离职继承" in bad(await practice.examine())["群主离职"]


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"wecom_callback_aes_key": OTHER_KEY}, "EncodingAESKey 不一致"),
        ({"wecom_callback_token": "anothertoken"}, "Token 不一致"),
    ],
)
async def test_settings_that_the_running_process_does_not_have_are_told_apart(
    practice: Practice, settings: dict[str, Any], says: str
) -> None:
    """The process answers 403 to strangers either way; its own counters say whether it is the token or the key."""
    assert says in bad(await practice.examine(**settings))["回调地址"]


async def test_a_key_that_the_console_does_not_have_is_named(start_life: StartLife, tmp_path: Path) -> None:
    """WeCom seals with another key than ours: our own probe succeeds, and what was refused before gives it away."""
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG)
    async with _healthy(start_life, config) as practice:
        world = practice.life.world
        world.courier._crypto = type(world.courier._crypto)("simulatedtoken", OTHER_KEY, world.corp_id)
        world.create_group("静安2群", owner="wangwu")
        await practice.life.run(30 * SECONDS)
        found = await practice.examine()
        assert next(each for each in found if each.check == "回调地址").state == "ok"
        assert "EncodingAESKey" in bad(found)["收到的回调"]


@pytest.mark.parametrize(("dead", "says"), [(False, "反向代理"), (True, "没有在运行")])
async def test_an_address_that_leads_nowhere_is_told_from_a_process_that_is_not_there(
    practice: Practice, dead: bool, says: str
) -> None:
    """Where the process answers by itself it is the way to it, else it has to be started."""
    assert says in bad(await practice.examine(unreachable=True, dead=dead))["回调地址"]


async def test_a_clock_that_is_off_is_named(practice: Practice) -> None:
    """The platform's Date tells how far our clock is off, and in which direction."""
    fast = await replace(practice, skew=timedelta(minutes=4)).examine()
    assert "快了 240 秒" in bad(fast)["时钟"]
    slow = await replace(practice, skew=-timedelta(minutes=4)).examine()
    assert "慢了 240 秒" in bad(slow)["时钟"]


async def test_a_domain_file_that_is_not_served_is_named(practice: Practice) -> None:
    """The trusted domain's file is fetched where WeCom would fetch it."""
    assert "WW_verify_abc123.txt" in bad(await practice.examine(wecom_domain_verify="abc123"))["可信域名"]


async def test_a_config_that_is_not_in_force_is_named(practice: Practice) -> None:
    """What stands on disk and what the bot goes by are compared; a broken file is a finding of its own."""
    practice.config.write_text("managers: [李华, 王五]\n")
    assert list(bad(await practice.examine())) == ["生效的设置"]
    practice.config.write_text("managers：李华\n")
    assert list(bad(await practice.examine())) == ["设置文件", "生效的设置"]


async def test_a_backlog_and_dead_letters_are_named(practice: Practice) -> None:
    """Work that nobody does is found, and what was given up."""
    now = practice.life.clock.now()
    async with practice.life.bot.store.write() as tx:
        common: dict[str, Any] = {"kind": "send_text", "payload": "{}", "lane": 2, "due_at": now, "created_at": now}
        tx.add(Outbox(key="waiting", **common))
        tx.add(Outbox(key="buried", **common, state="dead", finished_at=now))
    practice.life.clock.advance(timedelta(minutes=10))
    found = bad(await practice.examine())
    assert "10分钟" in found["积压"]
    assert "1 件" in found["办不成的事"]


async def test_a_native_switch_is_unsure_until_somebody_has_looked(practice: Practice) -> None:
    """No API reads 防骚扰: it is 未确认, with its clicks, until a person says so; then who and when is on record."""
    [before] = [each for each in await practice.examine() if each.check == "防骚扰"]
    assert before.state == "unsure"
    assert "安全管控 → 防骚扰" in before.cure
    await doctor.confirm(practice.life.bot.store, "防骚扰", by="李华", now=practice.life.clock.now())
    [after] = [each for each in await practice.examine() if each.check == "防骚扰"]
    assert after.state == "ok"
    assert "李华" in after.text


def test_broken_settings_are_findings_too() -> None:
    """Where the settings cannot be used the doctor says so by name, and that the rest was not looked at."""
    found = doctor.broken_settings(["WECOM_SECRET：没有填写"])
    assert [each.state for each in found] == ["wrong", "skipped"]


async def test_the_monthly_check_confirms_the_native_switches(practice: Practice) -> None:
    """A manager's 已办 on the monthly matter stands for all of them; a later look at one of them is the one told."""
    store, now = practice.life.bot.store, practice.life.clock.now()
    async with store.write() as tx:
        await matters.open_one(tx, "native-controls:2026-12", audience="managers", title="…", text="…", now=now)
        await matters.settle(tx, "native-controls:2026-12", outcome="done", by="lihua", now=now)
    found = {each.check: each for each in await practice.examine()}
    assert {found[name].state for name in doctor.SWITCHES} == {"ok"}
    assert "李华" in found["禁止互加"].text
    await doctor.confirm(store, "防骚扰", by="王五", now=now + 10 * SECONDS)
    found = {each.check: each for each in await practice.examine()}
    assert "王五" in found["防骚扰"].text
    assert "李华" in found["禁止互加"].text


async def test_groups_without_a_confirmed_welcome_are_listed(practice: Practice) -> None:
    """By name until the owner says that it is attached; what was refused or lost is told with its cure."""
    store, now = practice.life.bot.store, practice.life.clock.now()
    assert not [each for each in await practice.examine() if each.check == "入群欢迎语"]
    async with store.write() as tx:
        tx.add(WelcomeTemplateRow(title="会员", state="made", template_id="T", changed_at=now))
        [group] = await roster.groups(tx)
        key = welcome.attach_key("T", group.chat_id)
        await matters.open_one(tx, key, audience="owner", title="…", text="…", chat_id=group.chat_id, now=now)
    [waiting] = [each for each in await practice.examine() if each.check == "入群欢迎语"]
    assert (waiting.state, "「静安1群」" in waiting.text) == ("unsure", True)
    async with store.write() as tx:
        await matters.settle(tx, key, outcome="done", by="wangwu", now=now)
        tx.add(WelcomeTemplateRow(title="新人", state="failed", why="满了。", orphans=1, changed_at=now))
    texts = {each.state: each.text for each in await practice.examine() if each.check == "入群欢迎语"}
    assert "满了" in texts["wrong"]
    assert "1 条素材可能建成了" in texts["unsure"]
    assert "都确认挂上了" in texts["ok"]
