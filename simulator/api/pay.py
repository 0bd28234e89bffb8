"""WeChat Pay v2 on the wire: signed XML both ways, HTTP 200 for yes and no, and the faults of the wire.

Signatures are wechatpy's (`wechatpy.pay.utils`). A client certificate cannot be seen here: `CA_ERROR` is answered where
the world says so (`Merchant.answers` counts every answer by endpoint and code).
"""

import asyncio
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping

from starlette.types import Receive, Scope, Send
from wechatpy.pay.utils import calculate_signature, dict_to_xml

from simulator.api.http import cut, read_body, send_bytes
from simulator.pay import Merchant, Packet, Refused, wrong_with
from simulator.world import World

PREFIX = "/mmpaymkttransfers/"
XML_TYPE = b"text/xml; charset=UTF-8"
GARBLED = "<html><head><title>请稍后再试</title></head>\n<body>&nbsp;".encode()

Said = Mapping[str, str]
Answer = dict[str, str]


async def answer(world: World, scope: Scope, receive: Receive, send: Send) -> None:
    """One call of `sendredpack` or `gethbinfo`."""
    merchant, endpoint = world.merchant, scope["path"].removeprefix(PREFIX)
    body = await read_body(receive)
    work = ENDPOINTS.get(endpoint)
    if work is None or scope["method"] != "POST":
        await send_bytes(send, 404, b"text/html", b"<html>404</html>")
    elif not await _is_cut(world, send, ""):
        said = merchant_says(merchant, endpoint, work, body)
        if not await _is_cut(world, send, "_after_effect"):
            await send_bytes(send, 200, XML_TYPE, said)


async def _is_cut(world: World, send: Send, when: str) -> bool:
    """What the wire does before, or after, the effect."""
    merchant = world.merchant
    if merchant.strikes(f"stall{when}"):
        await asyncio.sleep(merchant.faults.stall_by.total_seconds())
        await cut(send)
    if merchant.strikes(f"cut{when}"):
        await cut(send)
    if merchant.strikes(f"error_5xx{when}"):
        await send_bytes(send, 502, b"text/html", b"<html>502 Bad Gateway</html>")
        return True
    if merchant.strikes(f"garbled{when}"):
        await send_bytes(send, 200, XML_TYPE, GARBLED)
        return True
    return False


def merchant_says(merchant: Merchant, endpoint: str, work: Callable[[Merchant, Said], Answer], body: bytes) -> bytes:
    """The answer to one request, as bytes; the effect is there."""
    try:
        said = _checked(merchant, body)
        result = {"return_code": "SUCCESS", "return_msg": "OK", "result_code": "SUCCESS"} | work(merchant, said)
        result.setdefault("err_code", "SUCCESS")
    except Refused as refused:
        result = {
            "return_code": "FAIL" if refused.code in ("SIGN_ERROR", "XML_ERROR") else "SUCCESS",
            "return_msg": refused.text or refused.code,
            "result_code": "FAIL",
            "err_code": refused.code,
            "err_code_des": refused.text,
        }
    merchant.answers[endpoint, result["err_code"]] += 1
    sign = calculate_signature(result, merchant.signs_with) if result["return_code"] == "SUCCESS" else None
    told: str = dict_to_xml(result, sign=sign)
    return told.encode()


def _checked(merchant: Merchant, body: bytes) -> Said:
    """What was said, if whoever said it has the key. Raises Refused."""
    try:
        root = ET.fromstring(body)  # noqa: S314 (it comes from the bot beside us)
    except ET.ParseError:
        raise Refused("XML_ERROR", "请求的XML格式错误") from None
    said = {each.tag: each.text or "" for each in root}
    signature = said.pop("sign", "")
    if signature != calculate_signature(said, merchant.api_key):
        raise Refused("SIGN_ERROR", "签名错误")
    if not merchant.certificate_ok:
        raise Refused("CA_ERROR", "请求未携带证书，或请求携带的证书出错")
    return said


def _send(merchant: Merchant, said: Said) -> Answer:
    wrong = wrong_with(said, merchant)
    if wrong is not None:
        raise wrong
    for code, kind in (("SYSTEMERROR", "system_error"), ("HB_NEW_RULE_2027", "unlisted")):
        if merchant.strikes(kind):
            raise Refused(code, "请稍后再试")
    packet = merchant.send(said)
    for code, kind in (
        ("SYSTEMERROR", "system_error_after_effect"),
        ("PROCESSING", "processing_after_effect"),
        ("HB_NEW_RULE_2027", "unlisted_after_effect"),
    ):
        if merchant.strikes(kind):
            raise Refused(code, "请求已受理，请稍后使用原单号查询发放结果")
    return {
        "mch_billno": packet.number,
        "mch_id": merchant.mch_id,
        "wxappid": merchant.app_id,
        "re_openid": packet.openid,
        "total_amount": str(packet.fen),
        "send_listid": f"100000000020{packet.number}",
    }


def _query(merchant: Merchant, said: Said) -> Answer:
    if said.get("bill_type") != "MCHT" or said.get("mch_id") != merchant.mch_id:
        raise Refused("PARAM_ERROR", "bill_type")
    packet = merchant.query(said.get("mch_billno", ""))
    return {
        "mch_billno": packet.number,
        "mch_id": merchant.mch_id,
        "detail_id": f"100000000020{packet.number}",
        "status": packet.status,
        "send_type": "API",
        "hb_type": "NORMAL",
        "total_num": "1",
        "total_amount": str(packet.fen),
        "reason": packet.reason,
        **_times(packet),
    }


def _times(packet: Packet) -> Answer:
    """In the merchant's time, as documented."""
    found = {"send_time": packet.taken_at, "rcv_time": packet.received_at, "refund_time": packet.refunded_at}
    told = {name: f"{at:%Y-%m-%d %H:%M:%S}" for name, at in found.items() if at is not None}
    return told | ({"refund_amount": str(packet.fen)} if packet.refunded_at else {})


ENDPOINTS: Mapping[str, Callable[[Merchant, Said], Answer]] = {"sendredpack": _send, "gethbinfo": _query}
