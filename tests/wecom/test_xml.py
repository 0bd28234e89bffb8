"""XML of the platform, and XML that it never sends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wecom.xml import BadXml, check_xml, read_xml


def test_children_become_a_nested_dict() -> None:
    """Text, nested elements and repeated elements keep their shape; CDATA and entities are text."""
    node = read_xml(b"<xml><a>1</a><b><c><![CDATA[<x>]]></c><c>&lt;y&gt;</c></b><d/></xml>")
    assert node == {"a": "1", "b": {"c": ["<x>", "<y>"]}, "d": ""}


def test_text_beside_elements_is_dropped() -> None:
    """White space and stray text between elements never ends up in a neighbour's value."""
    assert read_xml(b"<xml>\n <a>1</a>\n stray <b>2</b>\n</xml>") == {"a": "1", "b": "2"}


def test_utf8_is_forced() -> None:
    """A declared encoding is ignored: the platform speaks UTF-8."""
    assert read_xml('<?xml version="1.0" encoding="gbk"?><xml><a>群</a></xml>'.encode()) == {"a": "群"}


BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><xml><a>&b;&b;&b;</a></xml>'


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"plain text",
        b"<xml><a>",
        b"<xml></a>",
        b"<xml/><xml/>",
        b"<xml>&undeclared;</xml>",
        b"<xml>\x00</xml>",
        b"<xml>\xff</xml>",
        b"<!DOCTYPE xml><xml/>",
        b'<!DOCTYPE xml SYSTEM "file:///etc/passwd"><xml/>',
        BOMB,
    ],
)
def test_what_is_not_ours_is_refused(data: bytes) -> None:
    """Broken XML, and any DOCTYPE or entity, is BadXml, for the reader and the quick check alike."""
    with pytest.raises(BadXml):
        read_xml(data)
    with pytest.raises(BadXml):
        check_xml(data)


def test_depth_is_limited() -> None:
    """Sixteen levels are read, seventeen are refused, and a million do not hurt."""
    assert read_xml(b"<a>" * 16 + b"</a>" * 16)
    for levels in (17, 100_000):
        with pytest.raises(BadXml):
            read_xml(b"<a>" * levels + b"</a>" * levels)


@given(st.binary(max_size=200) | st.text(alphabet="<>/ab &;![]CDAT", max_size=60).map(str.encode))
def test_only_bad_xml_is_ever_raised(data: bytes) -> None:
    """Whatever comes is read or BadXml; and what the quick check refuses, the reader refuses too."""
    try:
        read_xml(data)
    except BadXml:
        return
    check_xml(data)
