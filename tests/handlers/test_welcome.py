"""Welcomes on a real database: what is ordered, whom is asked, and nothing twice."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.actions import add_welcome_template, delete_welcome_template, edit_welcome_template
from handlers import matters, native_controls, person, welcome
from rules.actions import AddWelcomeTemplate, AnyDeed, DeleteWelcomeTemplate, EditWelcomeTemplate, SendWelcome
from rules.book import Book
from rules.events import ContactAdded, ControlsCheckDue, MattersPressed, WelcomeDue
from rules.lanes import WELCOME
from store import matters as matter_rows
from store import outbox, people, queue, roster, staff
from store import welcome as rows
from store.database import Database
from store.matters import MatterRow
from store.outbox import Outbox
from store.welcome import Waiting, WelcomeTemplateRow
from wecom.errors import PlatformError

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
SECONDS, DAYS = timedelta(seconds=1), timedelta(days=1)
REFUSED = PlatformError(48002, "externalcontact/group_welcome_template/add", treatment="refused")


def book(*group: dict[str, Any], contact: str = "") -> Book:
    said: dict[str, Any] = {"group": list(group)}
    if contact:
        said["contact"] = {"text": contact}
    return Book.model_validate({"managers": ["李华"], "groups": {"members": "会员*"}, "welcome": said})


MEMBERS = {"groups": "members", "text": "欢迎 %NICKNAME%"}


class Corner:
    """One database; `look` is the sweep's event, `answer` what the platform says to what was ordered."""

    def __init__(self, db: Database) -> None:
        self.db, self.now = db, NOON

    async def group(self, chat_id: str, name: str, owner: str = "wangwu") -> None:
        async with self.db.write() as tx:
            await staff.remember(tx, "lihua", "李华", now=NOON)
            await staff.remember(tx, "wangwu", "王五", now=NOON)
            row = await roster.known_or_new(tx, chat_id, now=NOON)
            row.name, row.owner, row.read_at = name, owner, NOON
            row.kind = "members" if name.startswith("会员") else "other"

    async def look(self, settings: Book) -> None:
        async with self.db.write() as tx:
            await welcome.handle(WelcomeDue(at=self.now), None, tx, settings, self.now)

    async def ordered(self) -> list[AnyDeed]:
        """What is to be done and was not done yet."""
        deeds = []
        async with self.db.write() as tx:
            while (row := await queue.claim(tx, Outbox, now=self.now, lease=SECONDS, token="t")) is not None:
                deeds.append(outbox.deed_of(row))
                await queue.finish(tx, Outbox, row.id, "t", "done", now=self.now)
        return deeds

    async def answer(self, answer: str | PlatformError) -> list[AnyDeed]:
        """Everything ordered gets this answer; says what that was."""
        deeds = await self.ordered()
        actions: dict[str, Any] = {
            "add_welcome_template": add_welcome_template,
            "edit_welcome_template": edit_welcome_template,
            "delete_welcome_template": delete_welcome_template,
        }
        async with self.db.write() as tx:
            for deed in deeds:
                action = actions[deed.kind]
                assert await action.is_wanted(deed, tx)
                if isinstance(answer, PlatformError):
                    await action.give_up(deed, answer, tx, self.now)
                else:
                    await action.record(deed, answer, tx, self.now)
        return deeds

    async def template(self, title: str = "members") -> WelcomeTemplateRow:
        async with self.db.read() as tx:
            found = await rows.template(tx, title)
            assert found is not None
            return found

    async def waiting(self) -> list[Waiting]:
        async with self.db.read() as tx:
            return await rows.waiting(tx)

    async def open_for(self, userid: str, settings: Book) -> list[MatterRow]:
        async with self.db.read() as tx:
            return await matters.open_for(tx, settings, userid)

    async def done(self, userid: str, settings: Book, *ids: int) -> None:
        """They press 已办 about these, or all that is theirs."""
        theirs = ids or tuple(row.id for row in await self.open_for(userid, settings))
        async with self.db.write() as tx:
            event = MattersPressed(at=self.now, userid=userid, matter_ids=theirs)
            await matters.handle(event, None, tx, settings, self.now)


@pytest.fixture
def corner(sqlite_db: Database) -> Corner:
    return Corner(sqlite_db)


# --- templates --------------------------------------------------------------------------------------------------------


async def test_a_text_is_made_once(corner: Corner) -> None:
    """However often the welcomes are looked over before and after the answer, one template is ordered."""
    for _ in range(3):
        await corner.look(book(MEMBERS))
    deeds = await corner.answer("TEMPLATE")
    assert deeds == [AddWelcomeTemplate(title="members", number=1, text="欢迎 %NICKNAME%")]
    await corner.look(book(MEMBERS))
    assert await corner.ordered() == []
    assert (await corner.template()).template_id == "TEMPLATE"


async def test_a_new_text_is_an_edit_and_one_that_is_gone_a_deletion(corner: Corner) -> None:
    """The template stays the same one, so that nobody has to attach it again; and comes anew if the text comes back."""
    await corner.look(book(MEMBERS))
    await corner.answer("ONE")
    await corner.look(book({**MEMBERS, "text": "你好"}))
    edit = EditWelcomeTemplate(title="members", number=2, template_id="ONE", text="你好")
    assert await corner.answer("") == [edit]
    await corner.look(book({**MEMBERS, "text": "你好"}))
    await corner.look(book())
    await corner.look(book())
    delete = DeleteWelcomeTemplate(title="members", number=3, template_id="ONE")
    assert await corner.answer("") == [delete]
    await corner.look(book(MEMBERS))
    [again] = await corner.answer("TWO")
    assert isinstance(again, AddWelcomeTemplate)
    assert (await corner.template()).template_id == "TWO"


async def test_a_text_changed_while_it_is_made_is_edited_afterwards(corner: Corner) -> None:
    """What is on its way is not overtaken."""
    await corner.look(book(MEMBERS))
    await corner.look(book({**MEMBERS, "text": "你好"}))
    await corner.answer("ONE")
    await corner.look(book({**MEMBERS, "text": "你好"}))
    [edit] = await corner.ordered()
    assert isinstance(edit, EditWelcomeTemplate)
    assert edit.text == "你好"


async def test_an_unknown_outcome_is_an_orphan_and_another_is_made(corner: Corner) -> None:
    """Templates cannot be listed: the one that was perhaps made is counted, never looked for."""
    await corner.look(book(MEMBERS))
    await corner.answer(add_welcome_template.UNKNOWN)
    assert ((await corner.template()).orphans, (await corner.template()).template_id) == (1, None)
    await corner.look(book(MEMBERS))
    await corner.answer("TWO")
    row = await corner.template()
    assert (row.orphans, row.template_id, row.state) == (1, "TWO", "made")


async def test_a_process_that_died_over_the_call_may_have_left_an_orphan(corner: Corner) -> None:
    """A second try after a first of which nothing is known is counted; a first that is known to have failed is not."""
    for last_error, orphans in ((None, 1), ("not sent", 0)):
        title = f"t{orphans}"
        async with corner.db.write() as tx:
            tx.add(WelcomeTemplateRow(title=title, state="adding", changed_at=NOON))
            common: dict[str, Any] = {"kind": "add_welcome_template", "payload": "{}", "lane": 2}
            moments: dict[str, Any] = {"due_at": NOON, "created_at": NOON}
            tx.add(Outbox(key=rows.deed_key(title, 1), attempts=2, last_error=last_error, **common, **moments))
            await tx.flush()
            deed = AddWelcomeTemplate(title=title, number=1, text="x")
            await add_welcome_template.record(deed, "MADE", tx, NOON)
        assert (await corner.template(title)).orphans == orphans


async def test_what_was_refused_waits_for_the_managers(corner: Corner) -> None:
    """They read why; nothing is tried again before they say that it is put right, or the text is another one."""
    settings = book(MEMBERS)
    await corner.look(settings)
    await corner.group("wr0", "闲聊")
    await corner.answer(REFUSED)
    for _ in range(2):
        await corner.look(settings)
    assert await corner.ordered() == []
    [matter] = await corner.open_for("lihua", settings)
    assert REFUSED.hint in matter.text
    await corner.done("lihua", settings)
    await corner.look(settings)
    [again] = await corner.answer(REFUSED)
    assert isinstance(again, AddWelcomeTemplate)
    await corner.look(settings)
    assert len(await corner.open_for("lihua", settings)) == 1
    await corner.look(book({**MEMBERS, "text": "别的"}))
    assert len(await corner.answer("ONE")) == 1
    await corner.look(book({**MEMBERS, "text": "别的"}))
    assert await corner.open_for("lihua", settings) == []


async def test_a_refused_edit_leaves_the_template_with_its_groups(corner: Corner) -> None:
    """The old text goes on being shown; owners are not asked to attach anything again."""
    await corner.group("wr1", "会员1群")
    await corner.look(book(MEMBERS))
    await corner.answer("ONE")
    await corner.look(book(MEMBERS))
    changed = book({**MEMBERS, "text": "你好"})
    await corner.look(changed)
    await corner.answer(REFUSED)
    await corner.look(changed)
    assert [each.chat_id for each in await corner.waiting()] == ["wr1"]
    assert len(await corner.open_for("lihua", changed)) == 1
    assert (await corner.template()).template_id == "ONE"


# --- groups -----------------------------------------------------------------------------------------------------------


async def test_owners_are_asked_once_for_each_group(corner: Corner) -> None:
    """Also about a group that comes later; not about groups that no text covers; 已办 settles one group for good."""
    settings = book(MEMBERS)
    for number in (1, 2):
        await corner.group(f"wr{number}", f"会员{number}群")
    await corner.group("wr3", "闲聊")
    await corner.look(settings)
    assert await corner.waiting() == []  # there is nothing to attach yet
    await corner.answer("ONE")
    for _ in range(2):
        await corner.look(settings)
    first, second = await corner.open_for("wangwu", settings)
    assert [first.chat_id, second.chat_id] == ["wr1", "wr2"]
    assert "「会员1群」还没挂欢迎语" in first.text
    await corner.done("wangwu", settings, first.id)
    await corner.group("wr4", "会员4群")
    for _ in range(2):
        await corner.look(settings)
    assert [each.name for each in await corner.waiting()] == ["会员2群", "会员4群"]


async def test_a_new_owner_inherits_what_is_not_attached(corner: Corner) -> None:
    """The matter is the group's, whoever owns it."""
    settings = book(MEMBERS)
    await corner.group("wr1", "会员1群")
    await corner.look(settings)
    await corner.answer("ONE")
    await corner.look(settings)
    await corner.group("wr1", "会员1群", owner="lihua")
    assert [row.chat_id for row in await corner.open_for("lihua", settings)] == ["wr1"]


async def test_a_template_made_anew_has_to_be_attached_anew(corner: Corner) -> None:
    """A text that left the config and came back is another template; the old matter is settled."""
    settings = book(MEMBERS)
    await corner.group("wr1", "会员1群")
    await corner.look(settings)
    await corner.answer("ONE")
    await corner.look(settings)
    await corner.done("wangwu", settings)
    await corner.look(book())
    await corner.answer("")
    await corner.look(settings)
    await corner.answer("TWO")
    await corner.look(settings)
    assert [each.name for each in await corner.waiting()] == ["会员1群"]
    await corner.look(book())
    assert await corner.waiting() == []


async def test_the_managers_hear_of_what_is_missing_after_days_and_once(corner: Corner) -> None:
    """Not before the owners had their time; pressed away it comes again only for groups that are late since."""
    settings = book(MEMBERS)
    await corner.group("wr1", "会员1群")
    await corner.look(settings)
    await corner.answer("ONE")
    await corner.look(settings)
    corner.now += 2 * DAYS
    await corner.group("wr2", "会员2群")
    await corner.look(settings)
    assert await corner.open_for("lihua", settings) == []
    corner.now += 1 * DAYS
    await corner.look(settings)
    [matter] = await corner.open_for("lihua", settings)
    assert "王五：「会员1群」" in matter.text
    await corner.done("lihua", settings)
    corner.now += 1 * DAYS
    await corner.look(settings)
    assert await corner.open_for("lihua", settings) == []
    corner.now += 1 * DAYS
    await corner.look(settings)
    [again] = await corner.open_for("lihua", settings)
    assert "「会员1群」、「会员2群」" in again.text
    await corner.done("wangwu", settings)
    await corner.look(settings)
    assert await corner.open_for("lihua", settings) == []


# --- greetings --------------------------------------------------------------------------------------------------------


def added(code: str | None = "CODE", at: datetime = NOON) -> ContactAdded:
    return ContactAdded(at=at, userid="wangwu", external_userid="wmA", half=False, state=None, welcome_code=code)


async def greet(corner: Corner, event: ContactAdded, settings: Book, after: timedelta = SECONDS) -> list[AnyDeed]:
    async with corner.db.write() as tx:
        await person.handle(event, person.Seen(asked=False), tx, settings, event.at + after)
    return await corner.ordered()


async def test_a_new_contact_is_greeted_once_per_code(corner: Corner) -> None:
    """The same code, told of twice in different callbacks, is one greeting in the first lane."""
    settings = book(contact="您好")
    deed = SendWelcome(welcome_code="CODE", text="您好", expires_at=NOON + 20 * SECONDS)
    async with corner.db.write() as tx:
        await person.handle(added(), person.Seen(asked=False), tx, settings, NOON)
        row = await queue.claim(tx, Outbox, now=NOON, lease=SECONDS, token="t")
        assert row is not None
        assert (row.lane, outbox.deed_of(row)) == (WELCOME, deed)
    corner.now += SECONDS
    assert await greet(corner, added(), settings) == [deed]  # the same row, its lease over
    assert await greet(corner, added(), settings) == []


@pytest.mark.parametrize(
    ("settings", "event", "after"),
    [
        pytest.param(book(), added(), SECONDS, id="the config says nothing"),
        pytest.param(book(contact="您好"), added(None), SECONDS, id="no code"),
        pytest.param(book(contact="您好"), added(), 20 * SECONDS, id="too late"),
    ],
)
async def test_nothing_is_said_where_nothing_can_be(
    corner: Corner, settings: Book, event: ContactAdded, after: timedelta
) -> None:
    """Without a text, a code or time left nothing is ordered."""
    corner.now += 60 * SECONDS
    assert await greet(corner, event, settings, after) == []


async def test_somebody_we_wonder_about_is_greeted_first_and_asked_about_next(corner: Corner) -> None:
    """The greeting waits for no look-up: who the person is, is asked right after."""
    async with corner.db.write() as tx:
        await people.known_or_new(tx, "wmA")
    corner.now += SECONDS
    assert len(await greet(corner, added(), book(contact="您好"))) == 1
    async with corner.db.read() as tx:
        assert await people.next_check(tx) == NOON + SECONDS


# --- native controls --------------------------------------------------------------------------------------------------


async def test_the_monthly_check_is_one_matter_a_month(corner: Corner) -> None:
    """A new month's takes the place of one that nobody did; who did it is on record."""
    settings = book()
    await corner.group("wr1", "会员1群")

    async def ask(at: datetime) -> None:
        async with corner.db.write() as tx:
            await native_controls.handle(ControlsCheckDue(at=at), None, tx, settings, at)

    await ask(NOON)
    await ask(NOON)
    await ask(NOON + 10 * DAYS)
    [matter] = await corner.open_for("lihua", settings)
    assert matter.opened_at == NOON + 10 * DAYS
    assert "防骚扰" in matter.text
    corner.now = NOON + 11 * DAYS
    await corner.done("lihua", settings)
    async with corner.db.read() as tx:
        assert await matter_rows.last_done(tx, "native-controls:") == (corner.now, "lihua")
