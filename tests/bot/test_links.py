"""Signed links."""

from datetime import timedelta

import pytest

from bot.links import LINK_LIFE, LinkRefused, Links
from rules.actions import Link
from simulator import VirtualClock

CLOCK = VirtualClock()
LINK = Link(page="todo", userid="王|五 wang", issued_at=CLOCK.now())
LINKS = Links("https://bot.example/steward", "a key of sixteen characters", CLOCK)


def test_what_is_written_is_read() -> None:
    """A link says for whom and since when it is; written twice it is the same."""
    url = LINKS.url(LINK)
    assert url == LINKS.url(LINK)
    assert url.startswith("https://bot.example/steward/todo/")
    assert LINKS.read("todo", url.rpartition("/")[2]) == LINK


def test_a_link_about_a_group_names_it() -> None:
    """The group is part of what is signed."""
    link = Link(page="open", userid="wangwu", issued_at=CLOCK.now(), chat_id="wrGROUP")
    assert LINKS.read("open", LINKS.token(link)) == link


@pytest.mark.parametrize("other", ["another key of sixteen", "a key of sixteen characterS"])
def test_another_key_reads_nothing(other: str) -> None:
    """What somebody else signed is not ours."""
    with pytest.raises(LinkRefused) as refused:
        LINKS.read("todo", Links("https://bot.example", other, CLOCK).token(LINK))
    assert not refused.value.expired


def test_it_ends() -> None:
    """After its time a link is expired, not forged."""
    clock = VirtualClock(CLOCK.now())
    links = Links("https://bot.example", "a key of sixteen characters", clock)
    token = links.token(LINK)
    clock.advance(LINK_LIFE)
    assert links.read("todo", token) == LINK
    clock.advance(timedelta(seconds=1))
    with pytest.raises(LinkRefused) as refused:
        links.read("todo", token)
    assert refused.value.expired


def test_a_form_key_is_for_one_link_of_one_page() -> None:
    """It fits the page it was made for and no other."""
    key = LINKS.form_key("todo", "token")
    assert LINKS.is_form_key("todo", "token", key)
    assert not LINKS.is_form_key("todo", "other", key)
    assert not LINKS.is_form_key("open", "token", key)
    assert not LINKS.is_form_key("todo", "token", "é")
