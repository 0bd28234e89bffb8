"""Opaque ids that look like the platform's and are the same in every run with one seed."""

import base64
import hashlib
from collections import Counter

PREFIXES = frozenset({"wr", "wm", "wo", "o"})  # groups, WeChat people, WeCom people, unionids


class Ids:
    """The n-th id of a kind depends on nothing but the seed, the kind and n."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._made: Counter[str] = Counter()

    def new(self, kind: str, length: int) -> str:
        """`length` letters and digits, behind the kind where that is a prefix of the platform's."""
        self._made[kind] += 1
        digest = hashlib.sha512(f"{self._seed}|{kind}|{self._made[kind]}".encode()).digest()
        opaque = base64.b64encode(digest, altchars=b"AB").decode()[:length]
        return kind + opaque if kind in PREFIXES else opaque
