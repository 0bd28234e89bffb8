"""The doctor on WeChat Pay: each thing that can be wrong is named, and nothing is called wrong that is not."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from bot.doctor import pay as doctor
from bot.doctor.finding import Finding, Overheard, Patient
from bot.server import running
from bot.settings import Settings
from simulator import VirtualClock, World, create_app
from store import payouts
from store.database import Database
from store.payouts import PayoutRow
from tests.life.conftest import settings_for
from wecom.gateway import Gateway
from wecom.limits import Unlimited
from wecom.tokens import MemoryTokens

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
A_YEAR = timedelta(days=365)


@dataclass
class Merchant:
    """A merchant account with its certificate, and a doctor who looks at it."""

    world: World
    store: Database
    folder: Path
    base: str

    def certify(self, *, name: str = "", until: datetime = NOW + A_YEAR, pair: bool = True, mode: int = 0o600) -> None:
        """Write the two files that the merchant's console hands out."""
        key, other = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name or self.world.merchant.mch_id)])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(NOW - 3 * A_YEAR)
            .not_valid_after(until)
            .sign(key, hashes.SHA256())
        )
        (self.folder / "cert.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
        written = (key if pair else other).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (self.folder / "key.pem").write_bytes(written)
        (self.folder / "key.pem").chmod(mode)

    async def examine(self, **differing: Any) -> dict[str, Finding]:
        """What the doctor finds, by check."""
        plain = settings_for(self.world, "sqlite:///not-used.db").model_dump(exclude_unset=True)
        merchant = self.world.merchant
        pays = {
            "wxpay_mch_id": merchant.mch_id,
            "wxpay_api_key": merchant.api_key,
            "wxpay_cert": self.folder / "cert.pem",
            "wxpay_key": self.folder / "key.pem",
            "wxpay_api_base": self.base,
            "mp_app_id": "wx0123456789abcdef",
            "mp_secret": "the-secret-of-the-mp",
        }
        given = Settings.explicit(**{**plain, **pays, **differing})
        clock = VirtualClock(NOW)
        async with httpx2.AsyncClient() as client:
            wecom = Gateway(
                client,
                base="http://127.0.0.1",
                corp_id=given.wecom_corp_id,
                secret="unused",
                agent_id=1,
                clock=clock,
                tokens=MemoryTokens(),
                limiter=Unlimited(),
            )
            patient = Patient(
                settings=given,
                store=self.store,
                wecom=wecom,
                client=client,
                overheard=Overheard("127.0.0.1", clock),
                clock=clock,
                random=bytes,
                public="http://public",
                local="http://local",
            )
            found = await doctor.examine(patient)
        assert merchant.api_key not in str(found)
        return {each.check: each for each in found}


@pytest.fixture
async def merchant(sqlite_db: Database, tmp_path: Path) -> AsyncIterator[Merchant]:
    async with open_merchant(sqlite_db, tmp_path) as opened:
        yield opened


@asynccontextmanager
async def open_merchant(store: Database, folder: Path) -> AsyncIterator[Merchant]:
    world = World(clock=VirtualClock(NOW))
    async with running(create_app(world), "127.0.0.1", 0) as port:
        found = Merchant(world, store, folder, f"http://127.0.0.1:{port}")
        found.certify()
        yield found


async def test_all_is_well(merchant: Merchant) -> None:
    """Right settings, a certificate of this merchant in force, and an unknown number that is not found."""
    found = await merchant.examine()
    assert {check: each.state for check, each in found.items()} == {
        doctor.SETTINGS: "ok",
        doctor.CERTIFICATE: "ok",
        doctor.QUERY: "ok",
        doctor.OPENIDS: "unsure",
        doctor.STANDS_STILL: "ok",
    }
    assert merchant.world.merchant.answers == {("gethbinfo", "NOT_FOUND"): 1}


async def test_what_is_not_used_is_not_wrong(merchant: Merchant) -> None:
    """A shop that pays by owners and coupons hears that it may leave this be; what is half there is named."""
    nothing = dict.fromkeys(("wxpay_mch_id", "wxpay_api_key", "wxpay_cert", "wxpay_key"))
    assert [each.state for each in (await merchant.examine(**nothing)).values()] == ["skipped"]
    half = (await merchant.examine(wxpay_cert=None, mp_secret=None))[doctor.SETTINGS]
    assert (half.state, "缺 WXPAY_CERT、MP_SECRET" in half.cure) == ("wrong", True)


@pytest.mark.parametrize(
    ("files", "state", "says"),
    [
        ({"until": NOW - timedelta(days=1)}, "wrong", "不在有效期内"),
        ({"until": NOW + timedelta(days=9)}, "unsure", "到期，只剩"),
        ({"name": "1900000110"}, "wrong", "是商户号 1900000110 的"),
        ({"pair": False}, "wrong", "不是一对"),
        ({"mode": 0o644}, "unsure", "别的用户也能读"),
    ],
)
async def test_the_certificate(merchant: Merchant, files: dict[str, Any], state: str, says: str) -> None:
    """A certificate not in force, of another merchant, or not of this key is told apart; nothing is sent then."""
    merchant.certify(**files)
    found = await merchant.examine()
    assert (found[doctor.CERTIFICATE].state, says in found[doctor.CERTIFICATE].text) == (state, True)
    assert found[doctor.QUERY].state == ("skipped" if state == "wrong" else "ok")


async def test_files_that_cannot_be_read(merchant: Merchant) -> None:
    """A path that leads nowhere, and a file that is no certificate."""
    lost = await merchant.examine(wxpay_cert=merchant.folder / "lost.pem")
    assert "读不了" in lost[doctor.CERTIFICATE].text
    (merchant.folder / "cert.pem").write_text("no certificate")
    assert "不是 PEM" in (await merchant.examine())[doctor.CERTIFICATE].text


async def test_what_wechat_pay_does_not_accept(merchant: Merchant) -> None:
    """A wrong key is seen from its length, or from the answer; a certificate that is not accepted, and nobody there."""
    short = (await merchant.examine(wxpay_api_key="short"))[doctor.SETTINGS]
    assert (short.state, "5 个字符" in short.text) == ("wrong", True)
    other = (await merchant.examine(wxpay_api_key="k" * 32))[doctor.QUERY]
    assert (other.state, "SIGN_ERROR" in other.text) == ("wrong", True)
    merchant.world.merchant.certificate_ok = False
    assert "CA_ERROR" in (await merchant.examine())[doctor.QUERY].text
    nobody = (await merchant.examine(wxpay_api_base="http://127.0.0.1:9"))[doctor.QUERY]
    assert (nobody.state, "连不上" in nobody.text) == ("wrong", True)
    merchant.world.merchant.certificate_ok = True
    merchant.world.merchant.faults.query_error = 1.0
    assert (await merchant.examine())[doctor.QUERY].state == "unsure"


async def test_what_stands_still(merchant: Merchant) -> None:
    """A pause is wrong, with its reason; payouts of which nobody knows are to be looked at."""
    async with merchant.store.write() as tx:
        await payouts.pause(tx, "no_money", "NOTENOUGH", probe_at=NOW, now=NOW)
        row = PayoutRow(
            draw_id=1,
            winner="1",
            way="wechat",
            state="unknown",
            number="S1",
            purse="draw:1",
            amount=500,
            gross=500,
            since=NOW,
            planned_at=NOW,
        )
        await payouts.add(tx, row)
    found = await merchant.examine()
    assert found[doctor.STANDS_STILL].text == "1 个红包不知道结果，其中 0 个要人核对"
    async with merchant.store.write() as tx:
        row.state = "received"
        row.settled = True
        await tx.merge(row)
    found = await merchant.examine()
    assert (found[doctor.STANDS_STILL].state, "NOTENOUGH" in found[doctor.STANDS_STILL].text) == ("wrong", True)
