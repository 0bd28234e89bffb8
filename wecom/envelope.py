"""The callback as it came over the wire → the decrypted XML inside. Pure: query, body and time are handed over.

Order: query, size, the envelope's `<Encrypt>`, signature, age, and only then decryption. The envelope's own ToUserName
and AgentID are not signed and not looked at: whom a callback is for is told by the receive id inside the encryption.
"""

import re
from collections.abc import Mapping
from datetime import datetime

from wecom.crypto import Crypto, Refused
from wecom.xml import BadXml, check_xml, read_xml

LARGEST_BODY = 1 << 20
"""Bytes of a request's body."""


def open_callback(query: Mapping[str, str], body: bytes, crypto: Crypto, now: datetime, max_age: float) -> bytes:
    """The XML of one event; well-formed. `max_age`: seconds between the signature and now, either way; 0 = any.

    Raises Refused; `query` is a caller's mistake, all others are reasons not to believe it.
    """
    _check_query(query)
    if len(body) > LARGEST_BODY:
        raise Refused("size")
    xml = _open(query, _encrypted(body), crypto, now, max_age)
    try:
        check_xml(xml)
    except BadXml:
        raise Refused("xml") from None
    return xml


# The envelope as the platform writes it, before and after what is encrypted: such a one needs no parser.
_OTHERS = rb"(?:\s*<(?:ToUserName><!\[CDATA\[[\w.@-]*\]\]></ToUserName|AgentID><!\[CDATA\[[0-9]*\]\]></AgentID)>)*\s*"
_BEFORE = re.compile(rb"<xml>" + _OTHERS + rb"<Encrypt><!\[CDATA\[(?=[A-Za-z0-9])")
_AFTER = re.compile(rb"\]\]></Encrypt>" + _OTHERS + rb"</xml>\s*")


def _encrypted(body: bytes) -> str:
    """The one `<Encrypt>` of an envelope. Raises Refused."""
    if before := _BEFORE.match(body):
        end = body.find(b"]]>", before.end())
        content = body[before.end() : end]
        if _AFTER.fullmatch(body, end) and content.isascii():
            return content.decode()
    try:
        encrypted = read_xml(body).get("Encrypt")
    except BadXml:
        raise Refused("xml") from None
    if not isinstance(encrypted, str) or not encrypted:
        raise Refused("no_encrypt")
    return encrypted


def open_echo(query: Mapping[str, str], crypto: Crypto, now: datetime, max_age: float) -> bytes:
    """The answer to the platform's URL verification: the decrypted `echostr`. Raises Refused."""
    _check_query(query)
    if not query.get("echostr"):
        raise Refused("query")
    return _open(query, query["echostr"], crypto, now, max_age)


def _check_query(query: Mapping[str, str]) -> None:
    if not (query.get("msg_signature") and query.get("timestamp") and query.get("nonce")):
        raise Refused("query")


def _open(query: Mapping[str, str], encrypted: str, crypto: Crypto, now: datetime, max_age: float) -> bytes:
    timestamp = query["timestamp"]
    crypto.check(query["msg_signature"], timestamp, query["nonce"], encrypted)
    if max_age and not _is_recent(timestamp, now, max_age):
        raise Refused("age")
    return crypto.decrypt(encrypted)


def _is_recent(timestamp: str, now: datetime, max_age: float) -> bool:
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        return False
    return abs(now.timestamp() - int(timestamp)) <= max_age
