"""The simulated merchant account, asked by wechatpy itself: what it signs we can check, and the other way round."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest
from wechatpy.exceptions import WeChatPayException
from wechatpy.pay import WeChatPay

from bot.server import running
from simulator import Merchant, VirtualClock, World, create_app

PACKET: dict[str, Any] = {
    "user_id": "oWinner0001",
    "total_amount": 500,
    "send_name": "静安茶铺",
    "act_name": "周五拼手气",
    "wishing": "感谢您一直在群里",
    "remark": "周五拼手气",
    "client_ip": "127.0.0.1",
    "out_trade_no": "S1",
}


class Till:
    """A merchant and wechatpy's client of it, in a thread: the server runs in this loop."""

    def __init__(self, world: World, clock: VirtualClock, port: int) -> None:
        self.world, self.clock, self.merchant = world, clock, world.merchant
        self.pay = WeChatPay(self.merchant.app_id, self.merchant.api_key, self.merchant.mch_id, timeout=2)
        self.pay.API_BASE_URL = f"http://127.0.0.1:{port}/"
        self.pay._http.trust_env = False

    async def send(self, **other: Any) -> Any:
        """What the answer says, or the err_code of a FAIL."""
        return await self._ask(lambda: self.pay.redpack.send(**(PACKET | other)))

    async def query(self, number: str = "S1") -> Any:
        return await self._ask(lambda: self.pay.redpack.query(number))

    async def _ask(self, call: Callable[[], Any]) -> Any:
        try:
            return await asyncio.to_thread(call)
        except WeChatPayException as error:
            return error.errcode

    async def wait(self, span: timedelta) -> None:
        self.clock.advance(span)
        await self.world.run_due()


@pytest.fixture
async def till() -> AsyncIterator[Till]:
    clock = VirtualClock()
    world = World(clock=clock, seed=5)
    world.merchant.opens = 0
    async with running(create_app(world), "127.0.0.1", 0) as port:
        yield Till(world, clock, port)


async def test_it_signs_and_checks_as_wechatpy_does(till: Till) -> None:
    """An answer bears a signature that wechatpy finds right; a request signed with another key is refused."""
    said = await till.send()
    assert said["result_code"] == "SUCCESS"
    assert till.pay.check_signature(dict(said))
    till.pay.api_key = "another-key"
    assert await till.send() == "SIGN_ERROR"


async def test_a_number_pays_once(till: Till) -> None:
    """The same number with the same parameters is paid once however often it is sent; with others it is refused."""
    assert [(await till.send())["send_listid"] for _ in range(3)] == ["100000000020S1"] * 3
    assert till.merchant.paid() == 500
    assert await till.send(total_amount=600) == "FATAL_ERROR"
    assert till.merchant.sends["S1"] == 4


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ({"total_amount": 99}, "PARAM_ERROR"),
        ({"total_amount": 20_001}, "PARAM_ERROR"),
        ({"out_trade_no": "S-1"}, "PARAM_ERROR"),
        ({"out_trade_no": "S" * 29}, "PARAM_ERROR"),
        ({"user_id": "wmCustomer0001"}, "OPENID_ERROR"),
        ({"send_name": "静" * 33}, "PARAM_ERROR"),
    ],
)
async def test_what_is_not_allowed_is_refused(till: Till, other: dict[str, Any], code: str) -> None:
    """A request that the documents do not allow is refused with their code, and nothing is paid."""
    assert await till.send(**other) == code
    assert till.merchant.paid() == 0


async def test_limits_of_a_person_and_of_the_purse(till: Till) -> None:
    """A person gets 10 packets and 1,000 CNY a day, and the purse no more than it holds; tomorrow it goes on."""
    for n in range(10):
        await till.send(out_trade_no=f"S{n}")
    assert await till.send(out_trade_no="S10") == "SENDNUM_LIMIT"
    for n in range(5):
        await till.send(out_trade_no=f"R{n}", user_id="oRich0001", total_amount=20_000)
    assert await till.send(out_trade_no="R5", user_id="oRich0001") == "RCVDAMOUNT_LIMIT"
    till.merchant.purse = 400
    assert await till.send(out_trade_no="P1", user_id="oPoor0001") == "NOTENOUGH"
    till.merchant.purse = 4000
    assert (await till.send(out_trade_no="P1", user_id="oPoor0001"))["result_code"] == "SUCCESS"
    await till.wait(timedelta(days=1))
    assert (await till.send(out_trade_no="S10"))["result_code"] == "SUCCESS"


async def test_thirty_a_second(till: Till) -> None:
    """More than 30 calls within one second of the world's clock are too many."""
    answers = [await till.send(out_trade_no=f"S{n}", user_id=f"oWinner{n:04}") for n in range(32)]
    assert answers[30:] == ["SECOND_OVER_LIMITED"] * 2


async def test_unopened_money_returns_after_a_day(till: Till) -> None:
    """A packet nobody opens is SENT, after 24 hours on its way back, then refunded; an opened one is RECEIVED."""
    await till.send()
    await till.send(out_trade_no="S2", user_id="oWinner0002")
    await till.wait(timedelta(minutes=1))
    till.merchant.open("S2")
    assert [(await till.query(each))["status"] for each in ("S1", "S2")] == ["SENT", "RECEIVED"]
    await till.wait(timedelta(hours=24))
    assert (await till.query())["status"] == "RFUND_ING"
    await till.wait(timedelta(hours=1))
    assert [(await till.query(each))["status"] for each in ("S1", "S2")] == ["REFUND", "RECEIVED"]
    assert till.merchant.paid() == 500
    assert await till.query("S9") == "NOT_FOUND"


def _of(merchant: Merchant, **rates: float) -> None:
    for name, rate in rates.items():
        setattr(merchant.faults, name, rate)


@pytest.mark.parametrize(("fault", "paid"), [("cut", 0), ("cut_after_effect", 500)])
async def test_a_cut_connection_is_before_or_after_the_effect(till: Till, fault: str, paid: int) -> None:
    """A connection that is cut before the effect pays nothing, one that is cut after it pays."""
    _of(till.merchant, **{fault: 1.0})
    with pytest.raises(Exception, match=r"(?i)connection|incomplete"):
        await till.send()
    assert till.merchant.paid() == paid


@pytest.mark.parametrize("fault", ["garbled", "garbled_after_effect"])
async def test_a_200_that_is_not_xml(till: Till, fault: str) -> None:
    """Garbage with status 200 comes back from wechatpy as a text: the trap a client has to know."""
    _of(till.merchant, **{fault: 1.0})
    assert isinstance(await till.send(), str)


async def test_refused_by_risk_control(till: Till) -> None:
    """NO_AUTH leaves a number of which a query says SENDING for a day, and then FAILED."""
    till.merchant.barred.add("oWinner0001")
    assert await till.send() == "NO_AUTH"
    assert (await till.query())["status"] == "SENDING"
    await till.wait(timedelta(hours=25))
    assert (await till.query())["status"] == "FAILED"
    assert await till.send() == "SEND_FAILED"
