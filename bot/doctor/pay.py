"""The doctor on paying winners by WeChat Pay: settings, certificate, one question about a number that was never used,
the openids of the 公众号, and what stands still. No money is moved.
"""

import asyncio
import stat
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.x509.oid import NameOID

from bot import say
from bot.doctor.finding import Finding, Patient, ok, skipped, unsure, wrong
from bot.settings import Settings
from bot.wxpay import wxpay_of
from rules.payout_words import say_code
from store import identities, payouts
from store.database import Tx
from wecom.gateway import is_loopback

SETTINGS, CERTIFICATE, QUERY = "微信支付：设置", "微信支付：证书", "微信支付：查询"
OPENIDS, STANDS_STILL = "微信支付：公众号", "微信支付：发放"
CONSOLE = "微信支付商户平台（pay.weixin.qq.com）"
RESTART = "改过 .env 要重启 steward serve。"
RENEW_BEFORE = timedelta(days=30)
KEY_LENGTH = 32
NEEDED = {
    "wxpay_mch_id": "WXPAY_MCH_ID",
    "wxpay_api_key": "WXPAY_API_KEY",
    "wxpay_cert": "WXPAY_CERT",
    "wxpay_key": "WXPAY_KEY",
    "mp_app_id": "MP_APP_ID",
    "mp_secret": "MP_SECRET",
}
OF_PAY = ("wxpay_mch_id", "wxpay_api_key", "wxpay_cert", "wxpay_key")


async def examine(patient: Patient) -> list[Finding]:
    """Nothing is asked of WeChat Pay where a setting is missing or the certificate cannot be used."""
    settings = patient.settings
    missing = [name for field, name in NEEDED.items() if getattr(settings, field) is None]
    if all(getattr(settings, field) is None for field in OF_PAY):
        return [skipped(SETTINGS, "没有设置（可以不用）；要用微信支付发奖见 docs/payouts.md")]
    if missing:
        cure = f"缺 {'、'.join(missing)}。{CONSOLE} → 账户中心 → API 安全；公众号的在公众平台 → 基本配置。{RESTART}"
        return [wrong(SETTINGS, "只填了一部分，红包发不出去", cure)]
    found = [_settings(settings)]
    certificate = await asyncio.to_thread(_certificate, settings, patient.clock.now())
    found.append(certificate)
    if certificate.state == "wrong":
        found.append(skipped(QUERY, "证书改好以后再查"))
    else:
        found.append(await _query(patient))
    if patient.store is not None:
        async with patient.store.read() as tx:
            found += [await _openids(tx, settings), *await _stands_still(tx)]
    return found


def _settings(settings: Settings) -> Finding:
    key = settings.wxpay_api_key.get_secret_value() if settings.wxpay_api_key else ""
    if len(key) != KEY_LENGTH:
        cure = f"{CONSOLE} → 账户中心 → API 安全 → 设置 API 密钥（v2，不是 APIv3 密钥），填进 WXPAY_API_KEY。{RESTART}"
        return wrong(SETTINGS, f"WXPAY_API_KEY 有 {len(key)} 个字符，API 密钥是 {KEY_LENGTH} 个", cure)
    return ok(SETTINGS, f"商户号 {settings.wxpay_mch_id}，公众号 {settings.mp_app_id}")


def _certificate(settings: Settings, now: datetime) -> Finding:
    """Both files can be read, belong together and to this merchant, and are in force."""
    download = f"{CONSOLE} → 账户中心 → API 安全 → 申请 API 证书，下载 apiclient_cert.pem 和 apiclient_key.pem。"
    try:
        certificate = x509.load_pem_x509_certificate(_content(settings.wxpay_cert))
        key = load_pem_private_key(_content(settings.wxpay_key), None)
    except OSError as error:
        cure = f"文件要在 WXPAY_CERT、WXPAY_KEY 写的地方，运行群管家的用户读得到。{download}"
        return wrong(CERTIFICATE, f"读不了：{error.strerror or type(error).__name__}", cure)
    except (ValueError, TypeError):
        return wrong(CERTIFICATE, "不是 PEM 证书或私钥，或者私钥有密码", download)
    return _fits(settings, certificate, key, download) or _in_force(settings, certificate, download, now)


def _fits(settings: Settings, certificate: x509.Certificate, key: PrivateKeyTypes, download: str) -> Finding | None:
    """What is wrong between certificate, key and merchant; None: they belong together."""
    form = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    if certificate.public_key().public_bytes(*form) != key.public_key().public_bytes(*form):
        return wrong(CERTIFICATE, "证书和私钥不是一对", f"两个文件要是同一次申请的。{download}")
    names = [str(each.value) for each in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    if names and names[0].isdigit() and names[0] != settings.wxpay_mch_id:
        return wrong(CERTIFICATE, f"是商户号 {names[0]} 的，设置里是 {settings.wxpay_mch_id}", f"{download}{RESTART}")
    return None


def _in_force(settings: Settings, certificate: x509.Certificate, download: str, now: datetime) -> Finding:
    until = certificate.not_valid_after_utc
    if not certificate.not_valid_before_utc <= now <= until:
        text = f"不在有效期内（{say.at(certificate.not_valid_before_utc)} 到 {say.at(until)}）"
        return wrong(CERTIFICATE, text, f"这台机器的时间也要对。换新的：{download}")
    if now > until - RENEW_BEFORE:
        return unsure(CERTIFICATE, f"{say.at(until)} 到期，只剩{say.span(until - now)}", f"请换新的：{download}")
    if settings.wxpay_key is not None and stat.S_IMODE(settings.wxpay_key.stat().st_mode) & 0o077:
        return unsure(CERTIFICATE, "私钥文件别的用户也能读", f"运行 chmod 600 {settings.wxpay_key}")
    return ok(CERTIFICATE, f"证书和私钥是一对，{say.at(until)} 到期")


def _content(path: Path | None) -> bytes:
    return path.read_bytes() if path else b""


async def _query(patient: Patient) -> Finding:
    """A number that nobody ever used: who answers that it does not exist has found signature and certificate right."""
    settings = patient.settings
    pay = wxpay_of(settings, loopback_only=is_loopback(settings.wxpay_api_base))
    if pay is None:
        return skipped(QUERY, "设置不全")
    try:
        answer = await pay.ask(f"DOCTOR{patient.random(10).hex()}", 0)
    finally:
        pay.close()
    if answer.finding == "not_found":
        return ok(QUERY, "查一个没有用过的单号，微信支付说没有：签名和证书都对")
    if answer.code == "NO_AUTH":
        cure = f"{CONSOLE} → 产品中心 → 现金红包：要已开通；产品设置里的调用 IP 要有这台机器的出口 IP。"
        return wrong(QUERY, f"没有权限（{answer.code}）", cure)
    if answer.finding == "setup":
        return wrong(QUERY, f"微信支付不接受：{say_code(answer.code)}", f"照 docs/payouts.md 的开通步骤核对。{RESTART}")
    if answer.finding in ("slow_down", "unknown") and answer.code.isupper() and answer.code not in ("TIMEOUT", "HTTP"):
        return unsure(QUERY, f"微信支付现在说不清：{say_code(answer.code)}", "过几分钟再查。")
    cure = "检查这台机器能不能打开 https://api.mch.weixin.qq.com（防火墙、代理、域名解析）；证书握手失败也会这样。"
    return wrong(QUERY, f"连不上微信支付（{answer.code}）", cure)


async def _openids(tx: Tx, settings: Settings) -> Finding:
    """Whether anybody has come through the 公众号 yet: its trusted domain can be seen in no other way."""
    known = await identities.openids_under(tx, settings.mp_app_id or "")
    if known:
        return ok(OPENIDS, f"已经知道 {known} 个人在公众号下的 openid，红包发给它")
    cure = (
        "公众平台 → 设置与开发 → 账号设置 → 功能设置 → 网页授权域名，填 STEWARD_PUBLIC_URL 的域名；"
        f"{CONSOLE} → 产品中心 → AppID 账号管理，关联这个公众号。再用一个一元的红包试试。"
    )
    return unsure(OPENIDS, "还没有人授权过公众号（领奖时才会），试不了", cure)


async def _stands_still(tx: Tx) -> list[Finding]:
    pause, open_ones = await payouts.paused(tx), await payouts.unresolved(tx)
    found = []
    if pause is not None:
        cure = "充值或照消息改好，会自己接着发；等不及就 steward draw payouts --resume。"
        found.append(wrong(STANDS_STILL, f"{say.at(pause.since)} 起暂停：{say_code(pause.code)}", cure))
    if open_ones:
        shown = sum(row.shown for row in open_ones)
        text = f"{len(open_ones)} 个红包不知道结果，其中 {shown} 个要人核对"
        found.append(unsure(STANDS_STILL, text, "steward draw payouts 列出单号，在商户平台查清以后登记。"))
    return found or [ok(STANDS_STILL, "没有暂停，没有不知道结果的")]
