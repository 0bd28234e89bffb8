"""How people answer what happens to them. Staff read a card as a person does: by its words.

Nothing here knows how the bot builds its cards. A person looks for a button by what is written on it, and for whom to
remove by the names on the card that they find in a group where they can remove.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from simulator.errors import ImpossibleError

if TYPE_CHECKING:
    from simulator.groups import Group
    from simulator.messages import Received
    from simulator.people import Customer, Staff
    from simulator.world import World

HabitName = Literal[
    "removes_and_presses",
    "removes_without_pressing",
    "presses_without_removing",
    "says_mistake",
    "says_later",
    "reassigns",
    "transfers",
    "ignores",
]


@dataclass(frozen=True)
class Habit:
    """See `Staff.does`."""

    deeds: tuple[HabitName, ...]
    after: timedelta
    spread: timedelta = timedelta(0)
    ignores_first: int = 0
    choose: str | None = None


# deed → whether they take the person out, and the words of the button they press afterwards
DEEDS: dict[HabitName, tuple[bool, tuple[str, ...]]] = {
    "removes_and_presses": (True, ("已移出", "移出", "移除")),
    "removes_without_pressing": (True, ()),
    "presses_without_removing": (False, ("已移出", "移出", "移除")),
    "says_mistake": (False, ("误判", "放行")),
    "says_later": (False, ("稍后", "晚点")),
    "reassigns": (False, ("改派",)),
    "transfers": (False, ("转让",)),
    "ignores": (False, ()),
}


def hears(world: "World", staff: "Staff", received: "Received") -> None:
    """A message has reached somebody: plan what they will do about it.

    A text counts as a reminder of the newest open card; a card they are already about to answer needs none.
    """
    habit, card = staff.habit, received if received.kind == "card" else _open_card(world, staff)
    if habit is None or card is None or card.task_id is None or card.task_id in staff.minding:
        return
    staff.heard += 1
    answered = staff.heard - habit.ignores_first - 1
    if answered < 0:
        return
    deed = habit.deeds[min(answered, len(habit.deeds) - 1)]
    if deed == "ignores":
        return
    staff.minding.add(card.task_id)
    after = habit.after + habit.spread * world.fate.die("people").random()
    world.at(world.clock.now() + after, lambda: act(world, staff, card, deed, habit.choose))


def _open_card(world: "World", staff: "Staff") -> "Received | None":
    """The newest card that still has its buttons: what somebody looks at when they are reminded by a text."""
    return next((each for each in reversed(world.inbox(staff.userid)) if each.buttons), None)


def act(world: "World", staff: "Staff", card: "Received", deed: HabitName, choose: str | None) -> None:
    """Do one deed about one card. What is no longer possible (gone, replaced) is left, as a person would."""
    removes, words = DEEDS[deed]
    staff.minding.discard(card.task_id or "")
    if removes:
        for group_id, person in whom_to_remove(world, staff, card):
            world.remove(group_id, person, by=staff.userid)
    button = next((each for word in words for each in card.buttons if word in each.text), None)
    if button is None or card.task_id is None:
        return
    selected = None
    if card.question:
        selected = {card.question: [_choice(card, choose)]}
    try:
        world.press(staff.userid, card.task_id, button.key, selected)
    except ImpossibleError as no:
        world.tell(staff.name, f"想点「{button.text}」，但是{no}", task_id=card.task_id)


def _choice(card: "Received", choose: str | None) -> str:
    """What they pick in a drop-down: by its id, else by what it says, else what the card offers first."""
    wanted = choose or "all"
    by_id = [each.id for each in card.options if each.id == wanted]
    by_text = [each.id for each in card.options if choose and choose in each.text]
    return [*by_id, *by_text, card.options[0].id][0]


def was_removed(world: "World", group: "Group", person: "Customer") -> None:
    """Somebody was taken out of a group: plan their coming back, if they are of that kind (`Customer.comes_back`)."""
    if person.returns_after is None or person.returns <= 0:
        return
    person.returns -= 1

    def scan_again() -> None:
        try:
            world.join(group, person)
        except ImpossibleError as no:
            world.tell(person.title, f"想再扫码进群「{group.name}」，但是{no}", chat_id=group.chat_id, person=person.id)

    world.at(world.clock.now() + person.returns_after, scan_again)


def whom_to_remove(world: "World", staff: "Staff", card: "Received") -> list[tuple[str, str]]:
    """(chat_id, person) of everybody the card names who is in a group that this person may remove from.

    WeCom outsiders carry their company's name in the client, so they are looked for first; only a card that names
    none of them is about somebody on WeChat. Lines about invitations name somebody else.
    """
    groups = [each for each in world.groups.values() if staff.userid in each.removers and not each.dismissed]
    named_groups = [each for each in groups if each.name in card.text]
    found: list[tuple[str, Customer]] = []
    for group in named_groups or groups:
        people = [world.customers[each] for each in group.members if each in world.customers]
        text = "\n".join(line for line in card.text.splitlines() if "邀请" not in line)
        found += [(group.chat_id, each) for each in _named_in(text, people)]
    on_wecom = [(chat_id, each.id) for chat_id, each in found if each.type == 2]
    return on_wecom or [(chat_id, each.id) for chat_id, each in found]


def _named_in(text: str, people: Iterable["Customer"]) -> list["Customer"]:
    """Longer names first, each cut out where it was found, so that 王芳芳 is not taken for 王芳."""
    named = []
    for person in sorted(people, key=lambda each: (-len(each.name), each.id)):
        if person.name and person.name in text:
            named.append(person)
            others_of_that_name = sum(each.name == person.name for each in people)
            if others_of_that_name == 1:
                text = text.replace(person.name, "\0")
    return named
