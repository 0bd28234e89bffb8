"""From an encrypted callback to a verified removal, and everything that may happen on the way."""

from datetime import timedelta

import pytest

from rules.book import Book
from tests.life.conftest import Life, StartLife


BOOK = Book.model_validate({"managers": ["李华"], "rules": [{"rule": "other_company"}]})


def a_shop(life: Life) -> str:
    """A shop with a manager, an owner and one group; its chat_id."""
    life.world.add_staff("lihua", "李华")
    life.world.add_staff("wangwu", "王五")
    return life.world.create_group("静安1群", owner="wangwu").chat_id


async def test_a_rival_is_asked_about_removed_and_the_card_is_closed(start_life: StartLife) -> None:
    """The owner gets one card within seconds, and it closes when the roster shows that the person is gone."""
    async with start_life(BOOK) as life:
        chat_id = a_shop(life)
        await life.bot.read_roster("start")
        await life.run(timedelta(seconds=10))
        life.world.staff["wangwu"].does("removes_and_presses", after=timedelta(seconds=40))
        life.world.join(chat_id, life.world.add_rival("张三", "对手公司"))
        await life.run(timedelta(seconds=5))
        assert [message.kind for message in life.world.inbox("wangwu")] == ["card"]
        print(life.world.inbox("wangwu")[0].text)
        await life.run(timedelta(minutes=2))
        [card] = life.world.inbox("wangwu")
        assert card.replaced == "已移出"
