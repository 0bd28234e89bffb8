"""Addresses in a text: domains as people really write them, and mini-programs.

An address counts with its scheme or `www.` whatever its ending, and without them where its ending is a usual one
(`3.5折` and `v1.2` are none). Full-width letters, 。 for a dot, zero-width characters and punycode make no difference.
A bare Chinese domain cannot be told from the sentence around it: those are only found by name.
"""

import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import re2

from rules.text import Table, sources

MINI_PROGRAM: Final = "小程序"
"""What a mini-program is called in lists of domains."""

_SURE_ENDINGS: Final = frozenset(("com", "cn", "net", "org", "cc", "top", "xyz"))
"""With 。 for a dot only these: 「我是 VIP。Me too」 is no address."""

_OTHERS = """
    edu gov vip shop co io me info club site online store app link ltd wang ren tech fun icu mobi tv biz pro live work
    group asia hk tw uk jp kr ru de au sg vn id ws la pw tk ml ga cf gq space website win bid loan click cyou buzz
    life world today art cloud ink red love kim plus team
"""
USUAL_ENDINGS: Final = _SURE_ENDINGS | frozenset(_OTHERS.split())
_CHINESE_ENDINGS: Final = "中国|中國|公司|网络|網絡|网址|商城|在线|中文网|移动|香港|集团|我爱你|手机|购物|商店"

_LABEL = r"[\p{L}\p{N}_-]+"
_ASCII_LABEL = r"[a-z0-9_-]+"
_HOST = "|".join(  # the first that fits, so that what is glued to its end is no part of it: 「bad.com和…」
    (
        rf"(?:{_LABEL}\.)+(?:{_CHINESE_ENDINGS})",
        rf"(?:{_ASCII_LABEL}\.)+[a-z0-9-]+",
        rf"(?:{_LABEL}\.)+[a-z0-9-]+",
        rf"(?:{_LABEL}\.)*{_LABEL}",
    )
)
_ADDRESS = re2.compile(
    rf"(?:https?://(?:[^\s/?#@]*@)?|www\.)({_HOST})|@?((?:{_ASCII_LABEL}\.)+(?:xn--[a-z0-9-]+|[a-z]{{2,}}))"
)
_MINI = re2.compile(r"#小程序(?:://([^/\s]*))?")


class Address(NamedTuple):
    """`host`: as it can be compared, e.g. `shop.brand.com`; of a mini-program its name. `written`: as in the text."""

    host: str
    written: str
    mini_program: bool = False


def _step(letter: str) -> str:
    if letter in "。．｡":
        return "."
    if unicodedata.category(letter) in ("Cf", "Cs"):
        return ""
    return unicodedata.normalize("NFKC", letter).casefold()


_TABLE: Final = Table(_step)


def addresses(written: str, named: Iterable[str] = ()) -> Iterator[Address]:
    """Every address in a text; mini-programs come last. `named`: Chinese domains (comparable) to look for by name."""
    if not ("." in written or "。" in written or "．" in written or "｡" in written or "小" in written):
        return  # as most messages
    text = written.translate(_TABLE)
    if "." in text:
        yield from _domains(written, text)
        yield from (Address(name, name) for name in named if name in text)
    if MINI_PROGRAM in text:
        for found in _MINI.finditer(text):
            yield Address(found.group(1) or "", found.group(), mini_program=True)


def _domains(written: str, text: str) -> Iterator[Address]:
    places: list[int] = []
    for found in _ADDRESS.finditer(text):
        group = 1 if found.group(1) else 2
        host = found.group(group)
        if found.group().startswith("@"):  # somebody's e-mail
            continue
        places = places or sources(written, _TABLE)
        shown = written[places[found.start()] : places[found.end() - 1] + 1]
        if group == 1 or _is_one(host, shown):
            yield Address(comparable(host), shown)


def _is_one(bare: str, written: str) -> bool:
    """Whether this is an address though it has neither a scheme nor www."""
    ending = bare.rsplit(".", 1)[-1]
    return ending.startswith("xn--") or ending in (_SURE_ENDINGS if "。" in written else USUAL_ENDINGS)


def comparable(host: str) -> str:
    """A domain without the ways it can be written: small letters, no punycode, no dot at its end."""
    host = host.translate(_TABLE).strip(".")
    return ".".join(map(_label, host.split("."))) if "xn--" in host else host


def _label(label: str) -> str:
    if not label.startswith("xn--") or len(label) > 63:  # the longest label there is; decoding a longer one takes long
        return label
    try:
        return label[4:].encode("ascii").decode("punycode").casefold()
    except UnicodeError:
        return label
