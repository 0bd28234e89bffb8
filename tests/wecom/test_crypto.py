"""Signature and encryption of callbacks, against wechatpy's in both directions."""

import base64
import os

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from hypothesis import given
from hypothesis import strategies as st
from wechatpy.enterprise.crypto import PrpCrypto, WeChatCrypto

from wecom.crypto import Crypto, Refused

TOKEN = "QDG6eK"
AES_KEY = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
CORP = "wx5823bf96d3bd56c7"
KEY = base64.b64decode(AES_KEY + "=")


@pytest.fixture
def crypto() -> Crypto:
    return Crypto(TOKEN, AES_KEY, CORP)


def seal(padded: bytes) -> str:
    """Encrypts what is already padded (or wrongly so)."""
    encryptor = Cipher(AES(KEY), CBC(KEY[:16])).encryptor()
    return base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode()


def plain(message: bytes, corp: bytes = CORP.encode(), length: int | None = None) -> bytes:
    return b"r" * 16 + (len(message) if length is None else length).to_bytes(4, "big") + message + corp


def pad(data: bytes) -> bytes:
    n = 32 - len(data) % 32
    return data + bytes([n]) * n


@given(st.binary(max_size=300))
def test_what_we_encrypt_we_decrypt(message: bytes) -> None:
    """Any message comes back as it was."""
    crypto = Crypto(TOKEN, AES_KEY, CORP)
    assert crypto.decrypt(crypto.encrypt(message, os.urandom)) == message


@given(st.text(alphabet="群管家abc<>&", max_size=100))
def test_wechatpy_reads_ours_and_we_read_theirs(message: str) -> None:
    """Another implementation agrees with ours in both directions, for every length of padding."""
    ours = Crypto(TOKEN, AES_KEY, CORP)
    assert PrpCrypto(KEY).decrypt(ours.encrypt(message.encode(), os.urandom), CORP) == message
    assert ours.decrypt(PrpCrypto(KEY).encrypt(message, CORP)) == message.encode()


def test_wechatpy_agrees_on_the_signature(crypto: Crypto) -> None:
    """Each side accepts the other's signature, nonce, time and envelope."""
    encrypted = crypto.encrypt(b"hello", os.urandom)
    signature = crypto.signature("1409659813", "1372623149", encrypted)
    theirs = WeChatCrypto(TOKEN, AES_KEY, CORP)
    assert theirs.check_signature(signature, "1409659813", "1372623149", encrypted) == "hello"


@pytest.mark.parametrize("padding", range(1, 33))
def test_every_padding_length_is_accepted(crypto: Crypto, padding: int) -> None:
    """Paddings from 1 to 32 bytes are read; generic unpadders fail on 17 to 32."""
    head = len(plain(b""))
    message = b"m" * ((32 - padding - head) % 32)
    assert len(pad(plain(message))) - len(plain(message)) == padding
    assert crypto.decrypt(seal(pad(plain(message)))) == message


@pytest.mark.parametrize("padding", range(2, 33))
@pytest.mark.parametrize("where", ["first", "middle"])
def test_every_padding_byte_is_checked(crypto: Crypto, padding: int, where: str) -> None:
    """One wrong byte anywhere in the padding refuses the message."""
    padded = bytearray(pad(plain(b"m" * ((32 - padding - len(plain(b""))) % 32))))
    padded[len(padded) - (padding if where == "first" else padding // 2 + 1)] ^= 1
    with pytest.raises(Refused, match="padding"):
        crypto.decrypt(seal(bytes(padded)))


@pytest.mark.parametrize("last", [0, 33, 64, 255])
def test_paddings_that_cannot_be_are_refused(crypto: Crypto, last: int) -> None:
    """0 and anything above 32 is no padding."""
    with pytest.raises(Refused, match="padding"):
        crypto.decrypt(seal(b"x" * 63 + bytes([last])))


@pytest.mark.parametrize(
    ("encrypted", "cause"),
    [
        ("", "length"),
        ("!!!!", "base64"),
        ("YWJj\nYWJj", "base64"),
        ("YWJjZA", "base64"),
        ("群", "base64"),
        ("\udcff", "base64"),
        (b"\xff\xfe", "base64"),
        (base64.b64encode(b"x" * 15).decode(), "length"),
        (base64.b64encode(b"x" * 33).decode(), "length"),
        (seal(bytes([32]) * 32), "length"),
        (seal(pad(b"too short")), "length"),
        (seal(pad(plain(b"m", length=500))), "length"),
        (seal(pad(plain(b"m", length=2**32 - 1))), "length"),
        (seal(pad(plain(b"m", corp=b"another"))), "receive_id"),
        (seal(pad(plain(b"m", corp=b""))), "receive_id"),
        (seal(pad(plain(b"m", length=0))), "receive_id"),
        (seal(pad(plain(b"m", corp=CORP.encode() + b"2"))), "receive_id"),
    ],
)
def test_each_malformed_message_is_refused_by_name(crypto: Crypto, encrypted: str | bytes, cause: str) -> None:
    """Bad base64, wrong lengths and another corp are refused, each with its own cause."""
    with pytest.raises(Refused) as refused:
        crypto.decrypt(encrypted)
    assert refused.value.cause == cause


def test_truncated_ciphertext_is_refused(crypto: Crypto) -> None:
    """A message cut off at any byte is never read as a shorter one."""
    sealed = base64.b64decode(crypto.encrypt(b"x" * 100, os.urandom))
    for length in range(len(sealed)):
        with pytest.raises(Refused):
            crypto.decrypt(base64.b64encode(sealed[:length]))


@pytest.mark.parametrize("signature", ["", "0" * 40, "群", "\udcff", "A" * 10_000])
def test_wrong_signatures_are_refused(crypto: Crypto, signature: str) -> None:
    """Whatever a stranger puts there is refused, and breaks nothing."""
    with pytest.raises(Refused, match="signature"):
        crypto.check(signature, "1", "n", "e")


def test_the_right_signature_is_accepted(crypto: Crypto) -> None:
    """Nothing is raised for the right one, also where the nonce is not ASCII."""
    crypto.check(crypto.signature("1", "群\udcff", "e"), "1", "群\udcff", "e")


@pytest.mark.parametrize("key", ["", "short", AES_KEY + "=", AES_KEY + "x", "*" * 43, "群" * 43, AES_KEY[:-1] + "\n"])
def test_a_wrong_key_is_named_at_once(key: str) -> None:
    """A mistyped EncodingAESKey is a clear error at start, that does not show the key."""
    with pytest.raises(ValueError, match="EncodingAESKey must be 43") as error:
        Crypto(TOKEN, key, CORP)
    assert not key or key not in str(error.value)
