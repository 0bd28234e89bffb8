"""Tags that we keep of somebody ourselves, and what they are called in the corp's tags. Pure.

A tag is written as its name, or with the group of tags that it belongs to: `绿茶`, `喜好/绿茶`. Without one, a tag of
that name is taken wherever the corp has it; where it has none, it is made in the group USUAL_GROUP.
"""

from typing import NamedTuple

USUAL_GROUP = "群管家"
LONGEST = 30
"""Characters in the name of a tag, or of a group of tags (page 96320)."""


class TagName(NamedTuple):
    """`group` "": whichever."""

    group: str
    name: str

    @property
    def home(self) -> str:
        """The group that it is made in."""
        return self.group or USUAL_GROUP


def read_tag(written: str) -> TagName:
    """`喜好/绿茶` → group and name."""
    group, slash, name = written.partition("/")
    return TagName(group.strip(), name.strip()) if slash else TagName("", written.strip())


def wrong_tag(written: str) -> str:
    """Why this cannot be a tag, in Chinese; "" where it can."""
    group, name = read_tag(written)
    if not name or ("/" in written and not group):
        return f"「{written}」不是标签：写标签名，或 标签组/标签名，如 喜好/绿茶"
    if len(name) > LONGEST or len(group) > LONGEST:
        return f"「{written}」太长：标签名和标签组名最多 {LONGEST} 个字"
    return ""
