"""What `explain` looks up, on both engines, in a reading transaction (PostgreSQL refuses to lock rows in one)."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.explain.stories import CaseFile, GroupStory, PersonStory
from bot.explain.tell import find, tell
from rules.actions import SendText
from rules.decision import Decision
from rules.removal import Reason
from store import cards, history, outbox, people, removal, roster, staff, trace
from store.database import Database
from store.roster import MemberRow

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


@pytest.fixture
async def written(db: Database) -> Database:
    """张三 (wo1) is in 静安1群 and was in 静安2群, has an open case with a card, a press, a reminder and a release."""
    async with db.write() as tx:
        for chat_id, name in (("wr1", "静安1群"), ("wr2", "静安2群")):
            group = await roster.known_or_new(tx, chat_id, now=NOW)
            group.name, group.owner, group.admins = name, "wangwu", ["zhaoliu"]
        tx.add(MemberRow(chat_id="wr1", external_userid="wo1", name="张三", detailed=True, seen_at=NOW))
        left = NOW - timedelta(days=1)
        tx.add(MemberRow(chat_id="wr2", external_userid="wo1", name="张三", seen_at=left, left_at=left, quit_scene=1))
        await staff.remember(tx, "wangwu", "王五", now=NOW)
        case = await removal.open_case(
            tx,
            chat_id="wr1",
            external_userid="wo1",
            reasons=[Reason(rule="r", step="remove", evidence="strong", because="因为")],
            listed=False,
            now=NOW,
        )
        card = await cards.new(tx, "ask", [case], send_at=NOW)
        card.state = "sent"
        await cards.note_press(tx, [case], userid="wangwu", button="later", now=NOW)
        text = SendText(to=("wangwu",), text="提醒：#1「张三」还在")
        await outbox.put(
            tx, text, key="remind:1", lane=2, ordering_key=None, due_at=NOW, now=NOW, about=f"case:{case.number}"
        )
        await people.release(tx, "wo1", "r", released_by="王五", case_id=case.number, now=NOW)
        said = Decision(rule="r", verdict="hit", because="因为", subject="wo1", chat_id="wr1")
        await trace.write(tx, [said], inbox_id=1, event="members_joined", chat_id="wr1", config="c", now=NOW)
    return db


async def test_a_case_a_person_and_a_group_are_told(written: Database) -> None:
    """All that was written about them comes back."""
    async with written.read() as tx:
        case = await tell(tx, (await find(tx, "#1"))[0])
        person = await tell(tx, (await find(tx, "张三"))[0])
        group = await tell(tx, (await find(tx, "wr1"))[0])
    assert isinstance(case, CaseFile)
    assert [moment.what for moment in case.case.timeline] == [
        "开案：因为",
        "提醒 王五——正要办",
        "王五 按了「稍后」",
    ]
    assert isinstance(person, PersonStory)
    assert [stay.chat_id for stay in person.stays] == ["wr1", "wr2"]
    assert [release.by for release in person.releases] == ["王五"]
    assert isinstance(group, GroupStory)
    assert (group.owner, group.admins, group.members) == ("王五", ("zhaoliu",), 1)
    assert [each.number for each in group.cases] == [each.number for each in person.cases] == [1]
    assert [each.because for each in group.answers] == ["因为"]


async def test_names_are_told_where_they_are_known(written: Database) -> None:
    """A person without a name is called by their id; all names there are can be searched."""
    async with written.read() as tx:
        assert await history.name_of(tx, "wo1") == "张三"
        assert await history.name_of(tx, "wo2") == "wo2"
        assert set(await history.all_names(tx)) == {"静安1群", "静安2群", "张三"}
        assert await history.case_numbers_on(tx, 1) == [1]
        assert await history.last_case(tx) == 1
