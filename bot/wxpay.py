"""WeChat Pay v2, thin and typed: send a cash red packet, ask what became of it. Built on `wechatpy.pay`.

wechatpy is synchronous: it runs in threads of our own. Whatever happens comes back as one PayAnswer: also a timeout, a
cut connection or an answer that makes no sense, which are all "unknown" (facts/money.md §2). Nothing is raised, so no
error can carry a key or a certificate; nothing is tried again here.
"""

import asyncio
import logging
import ssl
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from wechatpy.exceptions import WeChatPayException
from wechatpy.pay import WeChatPay, xmltodict

from bot.settings import Settings
from rules.actions import RedPacket
from rules.payouts import QUERY_FINDS, STATUSES, PayAnswer, meaning
from wecom.gateway import is_loopback

CONNECT, READ = 3.0, 5.0
"""Seconds, for one step of one call."""

WHOLE_CALL = 9.0
"""Seconds for one call with all that belongs to it: below a third of a lease of 30 s."""

AT_ONCE = 8

# wechatpy logs what it signs, with the key, and whole requests and answers, at DEBUG.
logging.getLogger("wechatpy").setLevel(logging.WARNING)


class WxPay:
    """One merchant account and the 公众号 whose followers it pays.

    `base`: scheme and host. `loopback_only` refuses (ValueError) a base anywhere else, and goes by no proxy.
    """

    def __init__(
        self,
        *,
        mch_id: str,
        app_id: str,
        api_key: SecretStr,
        cert: Path | None,
        key: Path | None,
        base: str,
        loopback_only: bool = False,
        read_seconds: float = READ,
    ) -> None:
        if loopback_only and not is_loopback(base):
            raise ValueError("this client may only speak to a loopback address")
        self.mch_id, self.app_id = mch_id, app_id
        self._api_key, self._cert, self._key = api_key, cert, key
        self._base = base.rstrip("/") + "/"
        self._loopback_only = loopback_only
        self._read_seconds = read_seconds
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="wxpay")
        self._mine = threading.local()

    async def send(self, packet: RedPacket) -> PayAnswer:
        """One `sendredpack`. The same packet may be sent again: it is paid once."""

        def work(pay: WeChatPay) -> PayAnswer:
            if (packet.mch_id, packet.wxappid) != (self.mch_id, self.app_id):
                return PayAnswer(finding="setup", code="OTHER_ACCOUNT")  # it was begun with other settings
            said = pay.redpack.send(
                user_id=packet.re_openid,
                total_amount=packet.total_amount,
                send_name=packet.send_name,
                act_name=packet.act_name,
                wishing=packet.wishing,
                remark=packet.remark,
                client_ip=packet.client_ip,
                out_trade_no=packet.mch_billno,
                scene_id=packet.scene_id,
            )
            return _sent(said, packet)

        return await self._call(work)

    async def query(self, packet: RedPacket) -> PayAnswer:
        """One `gethbinfo`: what became of this packet's number."""
        return await self.ask(packet.mch_billno, packet.total_amount)

    async def ask(self, number: str, amount: int) -> PayAnswer:
        """What became of a number, of which `amount` fen were sent."""
        answer = await self._call(lambda pay: _looked_up(pay.redpack.query(number), number, amount))
        said_no = answer.finding not in QUERY_FINDS and answer.code not in STATUSES
        return _unknown(answer.code) if said_no else answer  # a refusal to tell says nothing of the money

    def close(self) -> None:
        """Waits for nobody: a call that hangs ends with its timeout."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _call(self, work: Callable[[Any], PayAnswer]) -> PayAnswer:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(WHOLE_CALL):
                return await loop.run_in_executor(self._threads, self._safely, work)
        except TimeoutError:
            return _unknown("TIMEOUT")

    def _safely(self, work: Callable[[Any], PayAnswer]) -> PayAnswer:
        """In a thread. The exceptions of requests and wechatpy hold the request, so they end here."""
        try:
            return work(self._client())
        except WeChatPayException as error:
            code = error.errcode or ("HTTP" if error.return_code is None else "NO_CODE")
            found = meaning(code)
            return _unknown("NO_CODE") if found == "accepted" else PayAnswer(finding=found, code=code)
        except _NoCertificate:
            return PayAnswer(finding="setup", code="CERTIFICATE")
        except Exception as error:  # noqa: BLE001 - whatever it is, nobody knows what became of the call
            return _unknown(type(error).__name__)

    def _client(self) -> WeChatPay:
        """This thread's own: a session of requests is not for several threads."""
        pay = getattr(self._mine, "pay", None)
        if pay is None:
            self._read_certificate()
            pay = self._mine.pay = _Checked(
                self.app_id,
                self._api_key.get_secret_value(),
                self.mch_id,
                mch_cert=str(self._cert) if self._cert else None,
                mch_key=str(self._key) if self._key else None,
                timeout=(CONNECT, self._read_seconds),
            )
            pay.API_BASE_URL = self._base
            pay._http.max_redirects = 0
            pay._http.trust_env = not self._loopback_only  # a proxy of the machine's would lead elsewhere
        return pay

    def _read_certificate(self) -> None:
        """Before anything is sent: a file that cannot be read leaves nothing unknown. Raises _NoCertificate."""
        if self._cert is None:
            return
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(self._cert, self._key)
        except (OSError, ValueError):
            raise _NoCertificate from None


class _NoCertificate(Exception):  # noqa: N818  # says what is the case
    """The client certificate or its key cannot be read."""


def wxpay_of(settings: Settings, *, loopback_only: bool) -> WxPay | None:
    """As the settings say; None where there is no merchant account, or no 公众号 whose openids it could pay."""
    if settings.wxpay_mch_id is None or settings.wxpay_api_key is None or settings.mp_app_id is None:
        return None
    return WxPay(
        mch_id=settings.wxpay_mch_id,
        app_id=settings.mp_app_id,
        api_key=settings.wxpay_api_key,
        cert=settings.wxpay_cert,
        key=settings.wxpay_key,
        base=settings.wxpay_api_base,
        loopback_only=loopback_only,
    )


class _Checked(WeChatPay):  # type: ignore[misc]  # wechatpy has no types
    """wechatpy raises on a FAIL before anybody can look at the signature; an answer that bears one is checked first."""

    def _handle_result(self, res: Any) -> Any:
        if b"<sign>" in res.content and not self.check_signature(_fields(res)):
            raise ValueError("the answer's signature is wrong")
        return super()._handle_result(res)


def _fields(res: Any) -> dict[str, Any]:
    """The fields of an answer as wechatpy reads them. Raises whatever it raises."""
    res.encoding = "utf-8"
    fields: dict[str, Any] = dict(xmltodict.parse(res.text)["xml"])
    return fields


def _sent(said: Any, packet: RedPacket) -> PayAnswer:
    """A success is one only for this very packet."""
    if not isinstance(said, dict):
        return _unknown("UNPARSABLE")
    theirs = said.get("mch_billno"), said.get("re_openid"), str(said.get("total_amount"))
    if theirs != (packet.mch_billno, packet.re_openid, str(packet.total_amount)):
        return _unknown("OTHER_PACKET")
    return PayAnswer(finding="accepted", code="SUCCESS")


def _looked_up(said: Any, number: str, amount: int) -> PayAnswer:
    if not isinstance(said, dict):
        return _unknown("UNPARSABLE")
    status = str(said.get("status"))
    if said.get("mch_billno") != number or status not in STATUSES:
        return _unknown(f"STATUS_{status}"[:40])
    if str(said.get("total_amount")) != str(amount):
        return PayAnswer(finding="conflict", code="OTHER_AMOUNT")  # somebody else uses our numbers
    return PayAnswer(finding=STATUSES[status], code=status)


def _unknown(code: str) -> PayAnswer:
    return PayAnswer(finding="unknown", code=code)
