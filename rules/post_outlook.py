"""What the calendar comes to in some weeks: every post rendered for every group, and the sends shared out. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, NamedTuple

from rules.content import Content, ContentError
from rules.draw_outlook import announcements
from rules.post_plan import SOMEBODY, Fire, Plan, choice_for, choose, plan, render
from rules.posts import Post, PostGroup, Sends
from rules.sends import Slot, Verdict, day_of, news_slots, period_of, share_out, slot_of
from rules.template import OF_GROUP

if TYPE_CHECKING:
    from rules.book import Book


class Ahead(NamedTuple):
    """What some weeks come to. `contents`: (key of a fire, chat_id) → what is said; `broken`: likewise, why not."""

    groups: Mapping[str, PostGroup]
    plan: Plan
    contents: Mapping[tuple[str, str], Content]
    broken: Mapping[tuple[str, str], ContentError]
    verdicts: Sequence[Verdict]

    def targets(self, fire: Fire) -> tuple[str, ...]:
        """The groups of a fire; "" stands for the staff of a post to them."""
        return fire.chat_ids or ("",)

    def owners_taps(self, fire: Fire) -> dict[str, int]:
        """Owner → how many times they have to confirm this post: once for each different text."""
        texts = defaultdict[str, set[Content]](set)
        for chat_id in fire.chat_ids:
            if content := self.contents.get((fire.key, chat_id)):
                texts[self.groups[chat_id].owner].add(content)
        return {owner: len(each) for owner, each in texts.items()}


def look_ahead(
    book: "Book",
    groups: Sequence[PostGroup],
    after: datetime,
    before: datetime,
    spent: Mapping[tuple[str, date], int] | None = None,
) -> Ahead:
    """Everything that is to go out in (after, before], rendered and shared out. `spent`: see rules/sends.py."""
    planned, by_id = plan(book, groups, after, before), {"": SOMEBODY, **{group.chat_id: group for group in groups}}
    posts = {post.name: post for post in book.calendar}
    contents, broken = dict[tuple[str, str], Content](), dict[tuple[str, str], ContentError]()
    slots, same = list[Slot](), dict[tuple[str, int | str], Content | ContentError]()
    for fire in planned.fires:
        post = posts[fire.post]
        choice, key = choice_for(post, fire), fire.key
        for chat_id in fire.chat_ids or ("",):
            said = choose(choice, by_id[chat_id], book)
            once = (key, id(said) if said and not said.variables & OF_GROUP else chat_id)
            found = same.get(once) or _rendered(post, by_id[chat_id], fire, book)
            same[once] = found
            if isinstance(found, ContentError):
                broken[key, chat_id] = found
            else:
                contents[key, chat_id] = found
                slots += [slot_of(post, key, fire.at, chat_id, found)] if chat_id else []
    slots += [slot for news in announcements(book, groups, after, before) for slot in news_slots(news)]
    return Ahead(by_id, planned, contents, broken, share_out(slots, spent or {}, book.posting.sends))


def _rendered(post: Post, group: PostGroup, fire: Fire, book: "Book") -> Content | ContentError:
    try:
        return render(post, group, fire, book)
    except ContentError as error:
        return error


def invented(book: "Book") -> list[PostGroup]:
    """A group for each kind, shop, tag and pattern that is named, as long as nobody knows the real ones."""
    patterns = [each for names in (*book.groups.values(), *book.tags.values()) for each in names]
    patterns += [each for shop in book.shops.values() for each in shop.groups]
    patterns += [each for post in book.posts for each in post.to if "*" in each]
    names = dict.fromkeys(each.replace("*", "示例").replace("?", "甲") for each in patterns)
    return [
        PostGroup(chat_id=f"示例{number}", name=name, kind=book.kind_of(name), owner="")
        for number, name in enumerate(names or ("示例群",), 1)
    ]


def over_budget(verdicts: Sequence[Verdict], sends: Sends) -> dict[tuple[str, date], list[Verdict]]:
    """(chat_id, first day of a period) → the verdicts of its tasks, where not all of them fit."""
    tasks = defaultdict[tuple[str, date], list[Verdict]](list)
    for verdict in verdicts:
        if verdict.slot.via == "task":
            tasks[verdict.slot.chat_id, period_of(sends, day_of(verdict.slot.at))[0]].append(verdict)
    return {key: each for key, each in tasks.items() if any(one.way != "task" for one in each)}
