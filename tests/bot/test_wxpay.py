"""The typed client of WeChat Pay against the simulated merchant: every answer is one finding, nothing is raised."""

import io
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.logs import set_up_logs
from bot.server import running
from bot.wxpay import WxPay
from rules.actions import RedPacket
from simulator import Merchant, VirtualClock, World, create_app
from simulator.pay import Packet, Refused

PACKET = RedPacket(
    mch_billno="S1",
    mch_id="1900000109",
    wxappid="wx0123456789abcdef",
    re_openid="oWinner0001",
    total_amount=500,
    send_name="静安茶铺",
    act_name="周五拼手气",
    wishing="感谢您一直在群里",
    remark="周五拼手气",
    client_ip="127.0.0.1",
)


class Counter:
    """A merchant's counter, and how to get a client of it."""

    def __init__(self, world: World, base: str) -> None:
        self.world, self.merchant, self.base = world, world.merchant, base

    def client(self, api_key: str = "", read_seconds: float = 5.0, cert: Path | None = None) -> WxPay:
        return WxPay(
            mch_id=self.merchant.mch_id,
            app_id=self.merchant.app_id,
            api_key=SecretStr(api_key or self.merchant.api_key),
            cert=cert,
            key=cert,
            base=self.base,
            loopback_only=True,
            read_seconds=read_seconds,
        )


@pytest.fixture
async def counter() -> AsyncIterator[Counter]:
    world = World(clock=VirtualClock(), seed=3)
    world.merchant.opens = 0
    async with running(create_app(world), "127.0.0.1", 0) as port:
        yield Counter(world, f"http://127.0.0.1:{port}")


@pytest.fixture
async def wxpay(counter: Counter) -> AsyncIterator[WxPay]:
    pay = counter.client(read_seconds=0.3)
    yield pay
    pay.close()


async def test_a_packet_is_sent_and_asked_about(counter: Counter, wxpay: WxPay) -> None:
    """What was sent is accepted, a query tells what became of it, and an unknown number is not found."""
    assert (await wxpay.send(PACKET)).finding == "accepted"
    assert (await wxpay.query(PACKET)).finding == "under_way"
    counter.merchant.open("S1")
    assert (await wxpay.query(PACKET)).finding == "received"
    assert (await wxpay.query(PACKET.model_copy(update={"mch_billno": "S2"}))).finding == "not_found"
    assert counter.merchant.paid() == 500


@pytest.mark.parametrize(
    ("fault", "code", "paid"),
    [
        ("cut", "ConnectionError", 0),
        ("cut_after_effect", "ConnectionError", 500),
        ("stall", "ReadTimeout", 0),
        ("stall_after_effect", "ReadTimeout", 500),
        ("error_5xx", "HTTP", 0),
        ("error_5xx_after_effect", "HTTP", 500),
        ("garbled", "UNPARSABLE", 0),
        ("garbled_after_effect", "UNPARSABLE", 500),
        ("system_error", "SYSTEMERROR", 0),
        ("system_error_after_effect", "SYSTEMERROR", 500),
        ("processing_after_effect", "PROCESSING", 500),
        ("unlisted", "HB_NEW_RULE_2027", 0),
        ("unlisted_after_effect", "HB_NEW_RULE_2027", 500),
    ],
)
async def test_whatever_nobody_knows_is_unknown(
    counter: Counter, wxpay: WxPay, fault: str, code: str, paid: int
) -> None:
    """A timeout, a cut, a server error, garbage and codes without a meaning are all unknown, paid or not."""
    setattr(counter.merchant.faults, fault, 1.0)
    counter.merchant.faults.stall_by = timedelta(seconds=0.6)
    answer = await wxpay.send(PACKET)
    assert answer.finding == "unknown"
    assert code in (answer.code, "ConnectionError")
    assert counter.merchant.paid() == paid


@pytest.mark.parametrize(
    ("fault", "finding"), [("freq_limit", "slow_down"), ("send_failed", "spent"), ("no_auth", "barred")]
)
async def test_what_has_a_code_has_a_meaning(counter: Counter, wxpay: WxPay, fault: str, finding: str) -> None:
    """A refusal with a known code is what the table says."""
    setattr(counter.merchant.faults, fault, 1.0)
    assert (await wxpay.send(PACKET)).finding == finding


async def test_mistakes_of_ours(counter: Counter, wxpay: WxPay) -> None:
    """A wrong key, a missing certificate, another account and another amount under the same number stop payouts."""
    other = counter.client(api_key="not-the-key-of-this-merchant")
    assert (await other.send(PACKET)).finding == "setup"
    other.close()
    counter.merchant.certificate_ok = False
    assert (await wxpay.send(PACKET)).code == "CA_ERROR"
    counter.merchant.certificate_ok = True
    assert (await wxpay.send(PACKET.model_copy(update={"mch_id": "1900000110"}))).code == "OTHER_ACCOUNT"
    assert (await wxpay.send(PACKET)).finding == "accepted"
    assert (await wxpay.send(PACKET.model_copy(update={"total_amount": 600}))).finding == "conflict"
    assert (await wxpay.query(PACKET.model_copy(update={"total_amount": 600}))).finding == "conflict"


class Odd(Merchant):
    """Answers what no document has: a refusal that says SUCCESS, a query that is refused as if it were a sending."""

    said = ""

    def send(self, said: Mapping[str, str]) -> Packet:
        raise Refused(self.said, "")

    def query(self, number: str) -> Packet:
        raise Refused(self.said, "")


@pytest.mark.parametrize("code", ["SEND_FAILED", "NOTENOUGH", "NO_AUTH", "SUCCESS", "FAILED"])
async def test_a_query_that_is_refused_says_nothing_of_the_money(counter: Counter, code: str) -> None:
    """Only a status ends a payout: whatever error answers a query, a new number would be a second payment."""
    counter.world.merchant = odd = Odd(counter.world)
    odd.said, pay = code, counter.client()
    assert (await pay.query(PACKET)).finding == "unknown"
    assert (await pay.send(PACKET)).finding != "accepted"
    pay.close()


async def test_a_certificate_that_cannot_be_read_leaves_nothing_unknown(counter: Counter, tmp_path: Path) -> None:
    """Nothing is sent without it: that is our own setting, and not a payout of which nobody knows."""
    pay = counter.client(cert=tmp_path / "lost.pem")
    for answer in (await pay.send(PACKET), await pay.query(PACKET)):
        assert (answer.finding, answer.code) == ("setup", "CERTIFICATE")
    assert not counter.merchant.sends
    pay.close()


async def test_an_answer_with_a_wrong_signature_is_unknown(counter: Counter, wxpay: WxPay) -> None:
    """Whoever does not have the key cannot tell us that a packet was paid, or that it failed."""
    counter.merchant.signs_with = "somebody-else's-key"
    assert (await wxpay.send(PACKET)).finding == "unknown"
    counter.merchant.faults.send_failed = 1.0
    assert (await wxpay.send(PACKET.model_copy(update={"mch_billno": "S2"}))).finding == "unknown"


async def test_no_secret_is_logged(counter: Counter) -> None:
    """At the loudest level neither our log nor wechatpy's shows the key or a signature made with it."""
    log = io.StringIO()
    set_up_logs("TRACE", stream=log)
    pay = counter.client()
    await pay.send(PACKET)
    counter.merchant.faults.cut = 1.0
    await pay.send(PACKET)
    pay.close()
    assert counter.merchant.api_key not in log.getvalue()
    assert "sign" not in log.getvalue()


def test_it_speaks_to_loopback_only_where_told_so(counter: Counter) -> None:
    """In demo and tests no other address than this machine's can be paid through."""
    counter.base = "https://api.mch.weixin.qq.com"
    with pytest.raises(ValueError, match="loopback"):
        counter.client()
