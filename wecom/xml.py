"""XML of the platform → plain dicts, through expat; whatever the platform never sends is refused.

UTF-8 is forced, whatever the document declares. Attributes, and text beside child elements, are dropped.
"""

from typing import Never, TypeAlias
from xml.parsers import expat


class Node(dict[str, "str | Node | list[str | Node]"]):
    """Child tag → its text; or its own children, where it has some; or a list of these, where the tag came often."""


Child: TypeAlias = str | Node | list[str | Node]

DEEPEST = 16
"""Levels of elements. The deepest document of the platform has 5 (template_card_event)."""


class BadXml(Exception):  # noqa: N818 - says what the data is
    """Not XML, or XML with a DOCTYPE, entities or absurd depth."""


def read_xml(data: bytes) -> Node:
    """The children of the root element (empty where it has none). Raises BadXml."""
    builder = _Builder()
    parser = _strict_parser()
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.text.append
    _parse(parser, data)
    return builder.root


def check_xml(data: bytes) -> None:
    """Raises BadXml where `read_xml` would, depth apart; builds nothing, so it is fit for the callback's hot path."""
    _parse(_strict_parser(), data)


class _Builder:
    """Collects what expat reports."""

    def __init__(self) -> None:
        self.root = Node()
        self.text: list[str] = []
        self._open: list[Node] = []

    def start(self, _tag: str, _attributes: dict[str, str]) -> None:
        if len(self._open) == DEEPEST:
            raise BadXml("too deep")
        self.text.clear()
        self._open.append(Node())

    def end(self, tag: str) -> None:
        node = self._open.pop()
        value: str | Node = node or "".join(self.text)
        self.text.clear()
        if not self._open:
            self.root = node
            return
        parent = self._open[-1]
        before = parent.get(tag)
        if before is None:
            parent[tag] = value
        elif isinstance(before, list):
            before.append(value)
        else:
            parent[tag] = [before, value]


def _strict_parser() -> expat.XMLParserType:
    parser = expat.ParserCreate("utf-8")
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    return parser


def _parse(parser: expat.XMLParserType, data: bytes) -> None:
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise BadXml(f"not XML: {expat.ErrorString(error.code)}") from None


def _refuse(*_declaration: object) -> Never:
    raise BadXml("a DOCTYPE or an entity declaration")
