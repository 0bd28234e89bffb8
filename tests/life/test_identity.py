"""Visitors beside a living bot: openids computed in the background, unionids on rosters, what is told of it all."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from bot.cli import app
from bot.doctor import identity as doctor
from bot.doctor.finding import Finding, Overheard, Patient
from bot.explain.stories import PersonStory
from bot.explain.tell import find, tell
from bot.explain.words import show
from bot.settings import Settings
from handlers import identity
from rules.book import Book
from rules.identity import Proof
from simulator import Customer, create_app
from store import identities, openids, removal
from tests.life.conftest import Life, StartLife, settings_for
from tests.life.gate import OWN, Gate, shop_with
from tests.life.shop import MINUTES, SECONDS, Shop
from wecom.gateway import Gateway
from wecom.limits import Unlimited
from wecom.tokens import MemoryTokens

HOURS = timedelta(hours=1)


@pytest.fixture
async def shop(open_shop: Any) -> AsyncIterator[Shop]:
    async with open_shop(Book()) as opened:
        yield opened


async def opens_a_page(shop: Shop, person: Customer) -> int:
    """As after a login: what OAuth named."""
    corp_id = shop.world.corp_id
    proof = Proof(kind="openid", value=shop.world.logins.openid(person), appid=corp_id, evidence="oauth")
    async with shop.life.bot.store.write() as tx:
        return (await identity.arrived(tx, [proof], now=shop.life.clock.now())).visitor_id


async def external_of(shop: Shop, visitor_id: int) -> str | None:
    async with shop.life.bot.store.read() as tx:
        return await identities.external_of(tx, visitor_id)


def asked(shop: Shop) -> int:
    return sum(n for (endpoint, _), n in shop.world.calls.items() if endpoint.endswith("convert_to_openid"))


async def test_nobody_is_asked_about_while_no_page_is_used(shop: Shop) -> None:
    """A shop without entrances and check-ins never has an openid computed or kept."""
    await shop.enters(shop.world.add_customer("安娜"))
    await shop.life.run(3 * HOURS)
    assert asked(shop) == 0


async def test_openids_are_computed_in_the_background_and_a_few_at_a_time(shop: Shop) -> None:
    """Everybody on WeChat in a group is asked about once, in rounds of 40; whoever opens a page is then known."""
    crowd = [shop.world.add_customer(f"顾客{n}") for n in range(95)]
    shop.world.join_together(shop.group, crowd[:60])
    shop.world.join_together(shop.group, [*crowd[60:], shop.rival()])
    early = await opens_a_page(shop, crowd[0])
    await shop.life.run(2 * MINUTES)
    assert asked(shop) == 95
    assert await external_of(shop, early) == crowd[0].id  # who came before it was computed
    assert await external_of(shop, await opens_a_page(shop, crowd[94])) == crowd[94].id
    await shop.life.run(3 * HOURS)
    assert asked(shop) == 95


async def test_what_is_refused_is_not_asked_again_soon(shop: Shop) -> None:
    """A corp that tells only of contacts: each group-only member costs one call a month."""
    shop.world.logins.converts = "contacts"
    anna = shop.world.add_customer("安娜")
    await shop.enters(anna)
    visitor = await opens_a_page(shop, anna)
    await shop.life.run(5 * HOURS)
    assert (asked(shop), await external_of(shop, visitor)) == (1, None)
    async with shop.life.bot.store.read() as tx:
        assert await openids.answers(tx) == {84061: 1}


async def test_trouble_on_the_way_is_tried_again(shop: Shop) -> None:
    """A call that gets no answer counts for nothing: the person is asked about in the next round."""
    anna = shop.world.add_customer("安娜")
    await shop.enters(anna)
    visitor = await opens_a_page(shop, anna)
    shop.world.faults.error_5xx = 1.0
    await shop.life.run(2 * MINUTES)
    assert await external_of(shop, visitor) is None
    shop.world.faults.error_5xx = 0.0
    await shop.life.run(2 * HOURS)
    assert await external_of(shop, visitor) == anna.id


async def test_who_came_by_a_join_way_is_asked_about_at_once(shop: Shop) -> None:
    """A joiner's openid is computed within seconds, and whoever came with another's code is not them."""
    holder, stranger = shop.world.add_customer("本人"), shop.world.add_customer("别人")
    visitor = await opens_a_page(shop, holder)
    await shop.life.run(10 * MINUTES)
    async with shop.life.bot.store.write() as tx:
        await identity.bind_by_state(tx, visitor, "seat-1", [stranger.id], now=shop.life.clock.now())
    shop.world.join(shop.group, stranger, state="seat-1")
    await shop.life.run(15 * SECONDS)
    assert await external_of(shop, visitor) is None
    async with shop.life.bot.store.read() as tx:
        assert await identities.visitor_with(tx, "external_userid", stranger.id) not in (None, visitor)


async def test_a_stranger_who_is_known_later_is_asked_to_be_removed(start_life: StartLife) -> None:
    """Somebody used a customer's code, and nobody could tell; once staff have added them and they open a page, they are
    found out: a case is opened, and the customer is not taken for them any more. The customer themselves never is.
    """
    async with start_life(shop_with(OWN)) as life:
        gate = Gate(life)
        life.world.logins.converts = "contacts"
        await gate.prepare("VIP·1", "VIP·2")
        door = await gate.scan("本人")
        own = await gate.enter("另一位")
        scanned = life.world.scan(gate.customer("别人"), door.qr_code)
        assert scanned.group is not None
        await life.run(2 * HOURS)
        for name in ("别人", "另一位"):
            life.world.make_contact("zhaoliu", gate.customer(name))
            await gate.visitor(name, known=True)
        await life.run(MINUTES)
        async with life.bot.store.read() as tx:
            [case] = await removal.open_cases(tx)
            assert await identities.external_of(tx, gate.visitors["本人"]) is None
        assert (case.external_userid, case.chat_id) == (gate.customer("别人").id, scanned.group.chat_id)
        assert case.chat_id != own.chat_id


async def test_a_unionid_on_the_roster_names_a_visitor(shop: Shop) -> None:
    """Somebody whom the 公众号 named before they joined is known the moment the roster shows them."""
    anna = shop.world.add_customer("安娜")
    visitor = await opens_a_page(shop, anna)
    logins = shop.world.logins
    async with shop.life.bot.store.write() as tx:
        [proof] = await identities.proofs_of(tx, visitor)
        proofs = [
            Proof(kind="openid", value=logins.openid(anna, "wxmp"), appid="wxmp", evidence="same_login"),
            Proof(kind="unionid", value=anna.unionid or "", evidence="mp_oauth"),
        ]
        await identity.arrived_by_mp(tx, proof.home, proofs, now=shop.life.clock.now())
    logins.converts = "contacts"
    await shop.enters(anna)
    assert await external_of(shop, visitor) == anna.id


# --- what is told of it -----------------------------------------------------------------------------------------------


async def test_explain_tells_why_two_are_one(shop: Shop) -> None:
    """`explain` shows the visitor, every tie with its reason, and what was undone; openids are shortened."""
    anna = shop.world.add_customer("安娜")
    await shop.enters(anna)
    visitor = await opens_a_page(shop, anna)
    now = shop.life.clock.now()
    async with shop.life.bot.store.write() as tx:
        await identity.bind_by_state(tx, visitor, "seat-1", [anna.id], now=now)
    said = await _explained(shop, anna)
    assert f"访客 {visitor}" in said
    assert "只有一个人从为 TA 这次扫码专门生成的入群码进群" in said
    assert "推断" in said
    assert shop.world.logins.openid(anna) not in said
    async with shop.life.bot.store.write() as tx:
        await identity.bind_by_state(tx, visitor, "seat-1", [anna.id, "wmOther"], now=now)
    assert "已拆开：有 2 个人" in (await _explained(shop, anna))


async def _explained(shop: Shop, person: Customer) -> str:
    async with shop.life.bot.store.read() as tx:
        [found] = await find(tx, person.id)
        story = await tell(tx, found)
    assert isinstance(story, PersonStory)
    console = Console(width=200, record=True, file=None, quiet=False)
    with console.capture() as captured:
        show(story, console)
    return captured.get()


async def test_a_merge_can_be_split_by_hand(start_life: StartLife, sqlite_url: str) -> None:
    """`steward visitor 1 --split N --why …` parts two people, and says what is known of the visitor now."""
    async with start_life(Book()) as life:
        shop = Shop(life)
        anna = shop.world.add_customer("安娜")
        visitor = await opens_a_page(shop, anna)
        async with life.bot.store.write() as tx:
            await identity.bind_by_state(tx, visitor, "seat-1", [anna.id], now=life.clock.now())
            [tie] = await identities.ties_by(tx, "seat-1", "join_state")

    async def run(*arguments: str) -> Result:
        command = ["visitor", str(visitor), *arguments]
        return await asyncio.to_thread(CliRunner().invoke, app, command, env={"DATABASE_URL": sqlite_url})

    assert (await run("--split", str(tie.id))).exit_code == 2  # no reason given
    assert (await run("--split", "999", "--why", "试试")).exit_code == 1
    done = await run("--split", str(tie.id), "--why", "两位顾客共用过手机", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.output)
    assert [each["kind"] for each in told["ids"]] == ["openid"]
    assert told["ties"][0]["undone_because"] == "两位顾客共用过手机"


async def examined(life: Life, **settings: Any) -> dict[str, Finding]:
    plain = settings_for(life.world, "sqlite:///not-used.db").model_dump(exclude_unset=True)
    given = Settings.explicit(**{**plain, "mp_api_base": "http://127.0.0.1", **settings})
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=create_app(life.world))) as client:
        wecom = Gateway(
            client,
            base=given.wecom_api_base,
            corp_id=given.wecom_corp_id,
            secret=given.wecom_secret.get_secret_value(),
            agent_id=given.wecom_agent_id,
            clock=life.clock,
            tokens=MemoryTokens(),
            limiter=Unlimited(),
        )
        patient = Patient(
            settings=given,
            store=life.bot.store,
            wecom=wecom,
            client=client,
            overheard=Overheard("127.0.0.1", life.clock),
            clock=life.clock,
            random=bytes,
            public="http://public",
            local="http://local",
        )
        found = await doctor.examine(patient)
    return {f"{each.check} {n}" if n else each.check: each for n, each in enumerate_by_check(found)}


def enumerate_by_check(found: list[Finding]) -> list[tuple[int, Finding]]:
    seen: dict[str, int] = {}
    numbered = []
    for each in found:
        numbered.append((seen.get(each.check, 0), each))
        seen[each.check] = seen.get(each.check, 0) + 1
    return numbered


async def test_the_doctor_says_which_steps_there_are(shop: Shop) -> None:
    """Each step of the ladder is tried or counted; what is missing says how to get it, and is not called wrong."""
    empty = await examined(shop.life)
    assert [each.state for each in empty.values()] == ["unsure", "unsure", "skipped"]
    anna = shop.world.add_customer("安娜")
    await shop.enters(anna)
    await opens_a_page(shop, anna)
    found = await examined(shop.life)
    assert "1 人打开过页面，其中 0 位加过导购" in found[doctor.BY_PAGE].text
    assert found[doctor.BY_ROSTER].state == "ok"
    shop.world.logins.converts = "contacts"
    refused = (await examined(shop.life))[doctor.BY_ROSTER]
    assert (refused.state, "84061" in refused.text) == ("unsure", True)


@pytest.mark.parametrize(
    ("settings", "state", "says"),
    [
        ({}, "ok", "认得"),
        ({"mp_secret": "not-the-secret"}, "wrong", "sns/oauth2"),
        ({"mp_app_id": "wxwrong"}, "wrong", "MP_APP_ID 不对"),
        ({"mp_secret": None}, "wrong", "缺 MP_SECRET"),
    ],
)
async def test_the_doctor_tries_the_mp(shop: Shop, settings: dict[str, Any], state: str, says: str) -> None:
    """Wrong settings of the 公众号 are told apart without a customer, and a corp without unionids how to bind."""
    right = {"mp_app_id": shop.world.logins.mp_app_id, "mp_secret": shop.world.logins.mp_secret}
    found = await examined(shop.life, **(right | settings))
    assert (found[doctor.BY_MP].state, says in found[doctor.BY_MP].text) == (state, True)
    assert "not-the-secret" not in str(found)
    if settings.get("mp_secret", "") is not None:
        assert "微信开发者ID" in found[f"{doctor.BY_MP} 1"].cure
