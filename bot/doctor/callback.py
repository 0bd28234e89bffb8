"""The doctor on the way from WeCom: is the callback address reachable, does it open what is sealed with these settings,
has anything come lately, and what does the running process say it has refused.
"""

import ipaddress
import re
from collections import Counter
from datetime import timedelta

import httpx2

from bot import say
from bot.doctor.finding import Finding, Patient, ok, skipped, unsure, wrong
from store import inbox
from wecom.crypto import Crypto

QUIET = timedelta(days=1)
PAGE = "管理后台 → 应用管理 → 本应用 → 接收消息 → 设置API接收"
RESTART = "改过 .env 要重启 steward serve。"

CAUSES: dict[str, tuple[str, str]] = {
    "signature": ("签名对不上：Token 不一致", f"{PAGE}，Token 要和 WECOM_CALLBACK_TOKEN 一样。{RESTART}"),
    "age": ("签名的时间差太多：时钟不对", "在这台机器上打开自动对时（例如 timedatectl set-ntp true）。"),
    "receive_id": ("企业 ID 不一致", f"WECOM_CORP_ID 要和管理后台 → 我的企业 → 企业信息 → 企业ID 一样。{RESTART}"),
    **dict.fromkeys(
        ("padding", "length", "base64"),
        (
            "解不开：EncodingAESKey 不一致",
            f"{PAGE}，EncodingAESKey 要和 WECOM_CALLBACK_AES_KEY 一样，改后两边都保存。{RESTART}",
        ),
    ),
}
"""By what the process counts a refusal under: what it means, and the cure. The signature is checked first, so all but
the first came from somebody who has the token."""


async def examine(patient: Patient) -> list[Finding]:
    """Also where something is wrong before: each of these can be looked at by itself."""
    refused = await _refused(patient)
    return [
        await _address(patient),
        await _echo(patient, refused),
        *_refused_before(refused),
        await _lately(patient),
        *[await _domain_file(patient, code) for code in sorted(patient.settings.wecom_domain_verify)],
    ]


# --- the address ------------------------------------------------------------------------------------------------------


async def _address(patient: Patient) -> Finding:
    url = httpx2.URL(patient.public)
    official = patient.settings.wecom_api_base.endswith("weixin.qq.com")
    if official and _is_private(url.host):
        return wrong(
            "网址",
            f"STEWARD_PUBLIC_URL 是 {patient.public}，企业微信从外网打不开",
            "改成外网能打开的域名，并指到这台机器。",
        )
    return ok("网址", patient.public)


def _is_private(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost" or "." not in host
    return not address.is_global


async def _echo(patient: Patient, before: Counter[str] | None) -> Finding:
    """What the console does when the address is saved: a signed, sealed text that must come back in the clear."""
    settings = patient.settings
    crypto = Crypto(
        settings.wecom_callback_token.get_secret_value(),
        settings.wecom_callback_aes_key.get_secret_value(),
        settings.wecom_corp_id,
    )
    text = patient.random(8).hex()
    sealed = crypto.encrypt(text.encode(), patient.random)
    timestamp, nonce = str(int(patient.clock.now().timestamp())), patient.random(5).hex()
    query = {
        "msg_signature": crypto.signature(timestamp, nonce, sealed),
        "timestamp": timestamp,
        "nonce": nonce,
        "echostr": sealed,
    }
    try:
        answer = await patient.client.get(f"{patient.public}/callback", params=query)
    except httpx2.HTTPError as error:
        return await _unreachable(patient, error)
    if answer.status_code == httpx2.codes.OK and answer.text == text:
        return ok("回调地址", f"{patient.public}/callback 打得开，签名和解密都对")
    if answer.status_code == httpx2.codes.FORBIDDEN:
        return await _refusal(patient, before)
    what = f"回答了 {answer.status_code}" if answer.status_code != httpx2.codes.OK else "回答的不是群管家"
    cure = f"这个网址后面是别的程序，或反向代理没有把 /callback 转到 {patient.local}。路径后面的 ? 参数要原样转发。"
    return wrong("回调地址", f"{patient.public}/callback {what}", cure)


async def _unreachable(patient: Patient, error: httpx2.HTTPError) -> Finding:
    """Never the error's own text: it may hold the query."""
    how = "超时" if isinstance(error, httpx2.TimeoutException) else "连不上"
    if "CERTIFICATE" in str(error).upper():
        how = "证书不被接受"
    try:
        alive = (await patient.client.get(f"{patient.local}/healthz")).status_code == httpx2.codes.OK
    except httpx2.HTTPError:
        alive = False
    cure = (
        f"程序在运行（{patient.local}），是路不通：检查域名解析、防火墙、证书，以及反向代理有没有转到它。"
        if alive
        else f"程序没有在运行（{patient.local} 也打不开）：先运行 steward serve。"
    )
    return wrong("回调地址", f"{patient.public}/callback {how}", cure)


async def _refusal(patient: Patient, before: Counter[str] | None) -> Finding:
    """403 says nothing to strangers; the process's own counters tell which of the settings it is."""
    after = await _refused(patient)
    causes = [cause for cause, count in (after - before).items() if count] if after and before is not None else []
    text, cure = next(
        (CAUSES[cause] for cause in causes if cause in CAUSES),
        (
            "签名或解密不对",
            "运行中的程序用的 WECOM_CALLBACK_TOKEN、WECOM_CALLBACK_AES_KEY 或 WECOM_CORP_ID 和这里的不同。" + RESTART,
        ),
    )
    return wrong("回调地址", f"运行中的程序拒绝了用这里的设置做的验证（403）：{text}", cure)


# --- what the running process has seen --------------------------------------------------------------------------------


async def _refused(patient: Patient) -> Counter[str] | None:
    """How many callbacks the running process has refused, by cause; None where it cannot be asked."""
    token = patient.settings.steward_metrics_token
    headers = {"authorization": f"Bearer {token.get_secret_value()}"} if token else {}
    for base in (patient.local, patient.public) if token else (patient.local,):
        try:
            answer = await patient.client.get(f"{base}/metrics", headers=headers)
        except httpx2.HTTPError:
            continue
        if answer.status_code == httpx2.codes.OK:
            lines = re.findall(
                r'^steward_callbacks_refused_total\{cause="(\w+)"\} ([0-9.e+]+)$', answer.text, re.MULTILINE
            )
            return Counter({cause: int(float(count)) for cause, count in lines})
    return None


def _refused_before(refused: Counter[str] | None) -> list[Finding]:
    """Sealed with the right token and still refused: that was WeCom, and one of the settings differs from its own."""
    if refused is None:
        return []
    found = []
    for cause, count in sorted(refused.items()):
        if cause not in CAUSES or not count:
            continue
        text, cure = CAUSES[cause]
        said = f"启动以来拒绝了 {count} 个：{text}"
        if cause == "signature":  # anybody on the internet can cause this one
            found.append(unsure("收到的回调", f"{said}；也可能只是有人在试探", cure))
        else:
            found.append(wrong("收到的回调", said, cure))
    return found


async def _lately(patient: Patient) -> Finding:
    cure = f"改一下任意一个客户群的群名，几秒后再查。收不到就看 {PAGE}，以及客户联系 → API → 接收事件是否勾选了本应用。"
    if patient.store is None:
        return skipped("最近的回调", "还没有数据库")
    async with patient.store.read() as tx:
        last = await inbox.last_callback(tx)
    if last is None:
        return unsure("最近的回调", "还没有收到过", cure)
    ago = patient.clock.now() - last
    text = f"{say.at(last)}（{say.span(ago)}前）"
    return ok("最近的回调", text) if ago <= QUIET else unsure("最近的回调", f"{text}；这么久没有，正常吗？", cure)


# --- the trusted domain -----------------------------------------------------------------------------------------------


async def _domain_file(patient: Patient, code: str) -> Finding:
    url = f"{patient.public}/WW_verify_{code}.txt"
    try:
        answer = await patient.client.get(url)
    except httpx2.HTTPError:
        return wrong("可信域名", f"{url} 打不开", "先解决上面的「回调地址」。")
    if answer.status_code == httpx2.codes.OK and answer.text == code:
        return ok("可信域名", f"校验文件 {url} 打得开")
    cure = (
        "反向代理要把 /WW_verify_*.txt 也转给群管家；WECOM_DOMAIN_VERIFY 改过要重启。"
        "管理后台 → 应用管理 → 本应用 → 网页授权及JS-SDK → 设置可信域名。"
    )
    return wrong("可信域名", f"{url} 的内容不对（{answer.status_code}）", cure)
