"""Callbacks as they come over the wire: what is believed and what is not."""

import contextlib
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wecom.crypto import Crypto, Refused
from wecom.envelope import LARGEST_BODY, open_callback, open_echo

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
EVENT = b"<xml><Event>subscribe</Event></xml>"
CRYPTO = Crypto("token", "a" * 43, "wwCorp")


def signed(encrypted: str, at: datetime = NOW, **more: str) -> dict[str, str]:
    timestamp = str(int(at.timestamp()))
    return {
        "timestamp": timestamp,
        "nonce": "n",
        "msg_signature": CRYPTO.signature(timestamp, "n", encrypted),
        **more,
    }


def wrapped(encrypted: str) -> bytes:
    return f"<xml><ToUserName>wwCorp</ToUserName><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>".encode()


def refusal(query: dict[str, str], body: bytes, max_age: float = 300) -> str:
    with pytest.raises(Refused) as refused:
        open_callback(query, body, CRYPTO, NOW, max_age)
    return refused.value.cause


def test_a_callback_is_opened() -> None:
    """A signed, fresh callback gives exactly the XML that was encrypted."""
    encrypted = CRYPTO.encrypt(EVENT, os.urandom)
    assert open_callback(signed(encrypted), wrapped(encrypted), CRYPTO, NOW, 300) == EVENT


def test_the_echo_is_opened() -> None:
    """URL verification gives exactly the bytes that were encrypted, whatever they are."""
    encrypted = CRYPTO.encrypt(b"1616140317555161061", os.urandom)
    assert open_echo(signed(encrypted, echostr=encrypted), CRYPTO, NOW, 300) == b"1616140317555161061"


@pytest.mark.parametrize("missing", ["msg_signature", "timestamp", "nonce", "echostr"])
def test_an_incomplete_query_is_the_callers_mistake(missing: str) -> None:
    """A query without one of its fields, or with an empty one, is refused as such."""
    encrypted = CRYPTO.encrypt(EVENT, os.urandom)
    for change in ({}, {missing: ""}):
        query = {name: value for name, value in signed(encrypted, echostr=encrypted).items() if name != missing}
        with pytest.raises(Refused, match="query"):
            open_echo(query | change, CRYPTO, NOW, 300)
        if missing != "echostr":
            assert refusal(query | change, wrapped(encrypted)) == "query"


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        (b"", "xml"),
        (b"not xml", "xml"),
        (b'<!DOCTYPE x [<!ENTITY a "aaaa">]><xml><Encrypt>&a;</Encrypt></xml>', "xml"),
        (EVENT, "no_encrypt"),
        (b"<xml><Encrypt></Encrypt></xml>", "no_encrypt"),
        (b"<xml><Encrypt><a>b</a></Encrypt></xml>", "no_encrypt"),
        (b"<xml><Encrypt>a</Encrypt><Encrypt>b</Encrypt></xml>", "no_encrypt"),
        (wrapped("someone else's"), "signature"),
        (b"<xml>" + b" " * LARGEST_BODY + b"</xml>", "size"),
    ],
)
def test_bodies_that_are_not_the_platforms_are_refused(body: bytes, cause: str) -> None:
    """A body that is no XML, plain (not encrypted), a bomb, too large or unsigned is refused by name."""
    assert refusal(signed(CRYPTO.encrypt(EVENT, os.urandom)), body) == cause


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body,
        lambda body: b'<?xml version="1.0"?>' + body,
        lambda body: body.replace(b"<Encrypt>", b"\n  <Encrypt>").replace(b"</xml>", b"\n</xml>\n"),
        lambda body: body.replace(b"<![CDATA[", b"").replace(b"]]>", b""),
        lambda body: body.replace(b"</xml>", b"<New>1</New></xml>"),
        lambda body: body.replace(b"<Encrypt>", b"<Encrypt a='1'>"),
    ],
)
def test_an_envelope_may_be_written_in_other_ways(change: Callable[[bytes], bytes]) -> None:
    """What XML holds to be the same is read as the same, whether or not the platform writes it so today."""
    encrypted = CRYPTO.encrypt(EVENT, os.urandom)
    assert open_callback(signed(encrypted), change(wrapped(encrypted)), CRYPTO, NOW, 300) == EVENT


def test_one_changed_character_breaks_the_signature() -> None:
    """The signature covers ciphertext, time and nonce, and is looked at before anything is decrypted."""
    encrypted = CRYPTO.encrypt(EVENT, os.urandom)
    query = signed(encrypted)
    assert refusal(query, wrapped("!" + encrypted[1:])) == "signature"
    assert refusal(query | {"nonce": "m"}, wrapped(encrypted)) == "signature"
    assert refusal(query | {"timestamp": query["timestamp"] + "0"}, wrapped(encrypted)) == "signature"


@pytest.mark.parametrize("encrypted", ["!!!", "YWJj", "群"])
def test_signed_rubbish_is_refused(encrypted: str) -> None:
    """Even with a good signature, what cannot be decrypted is refused."""
    assert refusal(signed(encrypted), wrapped(encrypted)) in {"base64", "length"}


@pytest.mark.parametrize("inner", [b"", b"not xml", b"<!DOCTYPE xml><xml/>", b"<xml>"])
def test_signed_content_that_is_not_xml_is_refused(inner: bytes) -> None:
    """What reaches the inbox is well-formed XML without a DOCTYPE."""
    encrypted = CRYPTO.encrypt(inner, os.urandom)
    assert refusal(signed(encrypted), wrapped(encrypted)) == "xml"


@pytest.mark.parametrize(("seconds", "accepted"), [(0, True), (300, True), (-300, True), (301, False), (-301, False)])
def test_age_is_checked_both_ways(seconds: int, accepted: bool) -> None:
    """Nothing is replayed after five minutes, nor signed for the future; 0 switches the check off."""
    encrypted = CRYPTO.encrypt(EVENT, os.urandom)
    query = signed(encrypted, NOW - timedelta(seconds=seconds))
    if accepted:
        assert open_callback(query, wrapped(encrypted), CRYPTO, NOW, 300) == EVENT
    else:
        assert refusal(query, wrapped(encrypted)) == "age"
    assert open_callback(query, wrapped(encrypted), CRYPTO, NOW, 0) == EVENT


@pytest.mark.parametrize("timestamp", ["soon", "１７００００００００", "9" * 5000, "1e9", "-1", "²"])
def test_a_timestamp_that_is_no_time_is_too_old(timestamp: str) -> None:
    """Signed or not, a timestamp that cannot be read is not recent."""
    encrypted = CRYPTO.encrypt(EVENT, os.urandom)
    query = {
        "timestamp": timestamp,
        "nonce": "n",
        "msg_signature": CRYPTO.signature(timestamp, "n", encrypted),
    }
    assert refusal(query, wrapped(encrypted)) == "age"


def test_the_envelopes_own_addressee_is_not_believed() -> None:
    """ToUserName stands outside the signature: another corp's name there changes nothing."""
    encrypted = CRYPTO.encrypt(EVENT, os.urandom)
    body = wrapped(encrypted).replace(b"wwCorp", b"wwOther")
    assert open_callback(signed(encrypted), body, CRYPTO, NOW, 300) == EVENT


@given(
    st.dictionaries(st.sampled_from(["msg_signature", "timestamp", "nonce", "echostr"]), st.text(min_size=1)),
    st.binary(max_size=200) | st.text().map(lambda text: wrapped(text.replace("]]>", "")) if text.isascii() else b""),
)
def test_strangers_are_refused_and_nothing_else(query: dict[str, str], body: bytes) -> None:
    """No request of a stranger's making is accepted, and none raises anything but Refused."""
    with pytest.raises(Refused):
        open_callback(query, body, CRYPTO, NOW, 300)
    with pytest.raises(Refused):
        open_echo(query, CRYPTO, NOW, 300)


@given(st.binary(max_size=120).map(lambda sealed: CRYPTO.encrypt(sealed, os.urandom)) | st.text(max_size=80))
def test_signed_fuzz_is_refused_or_opened(encrypted: str) -> None:
    """Behind a good signature too, anything is opened or Refused."""
    with contextlib.suppress(Refused):
        open_echo(signed(encrypted, echostr=encrypted), CRYPTO, NOW, 300)
    with contextlib.suppress(Refused):
        open_callback(signed(encrypted), wrapped(encrypted), CRYPTO, NOW, 300)
