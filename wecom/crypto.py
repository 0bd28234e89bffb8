"""The callback's signature (SHA-1) and encryption (AES-256-CBC, PKCS#7 padded to 32 bytes): pages 90930, 91144.

Plaintext: 16 random bytes ‖ length of the message (4 bytes, big endian) ‖ message ‖ receive id (the CorpID).
"""

import binascii
import hashlib
import hmac
from collections.abc import Callable
from typing import Literal

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

Cause = Literal["query", "size", "xml", "no_encrypt", "signature", "age", "base64", "length", "padding", "receive_id"]

_BLOCK = 32
_HEAD = 20  # 16 random bytes and the length
_PADDINGS = tuple(bytes([n]) * n for n in range(_BLOCK + 1))


class Refused(Exception):  # noqa: N818 - the refusal is the outcome, not a fault of ours
    """A callback that is not the platform's, or not whole. `cause` is a stable label for logs and metrics."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(cause)
        self.cause: Cause = cause


class Crypto:
    """Checks, opens and makes the encrypted envelopes of one callback address.

    `aes_key`: the EncodingAESKey, 43 characters; ValueError where it is anything else.
    `receive_id`: the CorpID, for an app of one's own.
    """

    def __init__(self, token: str, aes_key: str, receive_id: str) -> None:
        try:
            key = binascii.a2b_base64(aes_key + "=", strict_mode=True)
        except ValueError:
            key = b""
        if len(key) != 32:
            raise ValueError("EncodingAESKey must be 43 letters and digits (A-Z a-z 0-9 + /)")
        self._token = token
        self._receive_id = receive_id.encode()
        self._cipher = Cipher(AES(key), CBC(key[:16]))

    def signature(self, timestamp: str, nonce: str, encrypted: str) -> str:
        """SHA-1, in hex, over token, timestamp, nonce and ciphertext, sorted and joined."""
        joined = "".join(sorted((self._token, timestamp, nonce, encrypted)))
        return hashlib.sha1(_bytes(joined)).hexdigest()  # noqa: S324 - the platform's choice

    def check(self, signature: str, timestamp: str, nonce: str, encrypted: str) -> None:
        """Raises Refused("signature"); takes the same time wherever the two differ."""
        if not hmac.compare_digest(_bytes(self.signature(timestamp, nonce, encrypted)), _bytes(signature)):
            raise Refused("signature")

    def decrypt(self, encrypted: str | bytes) -> bytes:
        """The message inside. Raises Refused: base64, length, padding or receive_id. Check the signature first."""
        try:
            sealed = binascii.a2b_base64(encrypted, strict_mode=True)
        except ValueError:  # binascii.Error is one; a str that is not ASCII gives another
            raise Refused("base64") from None
        if not sealed or len(sealed) % 16:
            raise Refused("length")
        decryptor = self._cipher.decryptor()
        padded = decryptor.update(sealed) + decryptor.finalize()
        padding = padded[-1]
        if not 1 <= padding <= _BLOCK or not padded.endswith(_PADDINGS[padding]):
            raise Refused("padding")
        end = len(padded) - padding
        message_end = _HEAD + int.from_bytes(padded[16:_HEAD], "big")
        if message_end > end:
            raise Refused("length")
        if not hmac.compare_digest(padded[message_end:end], self._receive_id):
            raise Refused("receive_id")
        return padded[_HEAD:message_end]

    def encrypt(self, message: bytes, random: Callable[[int], bytes]) -> str:
        """What the platform would send for `message`. `random(n)` gives n random bytes."""
        plain = random(16) + len(message).to_bytes(4, "big") + message + self._receive_id
        encryptor = self._cipher.encryptor()
        sealed = encryptor.update(plain + _PADDINGS[_BLOCK - len(plain) % _BLOCK]) + encryptor.finalize()
        return binascii.b2a_base64(sealed, newline=False).decode()


def _bytes(text: str) -> bytes:
    """Never fails, whatever a stranger put into the query."""
    return text.encode("utf-8", "surrogatepass")
