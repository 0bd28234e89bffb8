"""The app's messages and cards: who has got what, what their buttons show now, which response codes are good."""

import hashlib
import json
import re
from collections import Counter, defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from html import unescape
from typing import TYPE_CHECKING, Any, Literal

from simulator.errors import ApiError, ImpossibleError

if TYPE_CHECKING:
    from simulator.world import World

CODE_LIFE = timedelta(hours=72)  # page 94945
LINK = re.compile(r"""<a href=["'](https?://[^"'<>\s]+)["']>([^<]*)</a>""")  # the one tag that texts may hold


@dataclass(frozen=True)
class Button:
    key: str
    text: str
    style: int


@dataclass(frozen=True)
class Option:
    id: str
    text: str


@dataclass
class Received:
    """A message as one person sees it now. `content` is the text, or the card as it was sent.

    `replaced`: what stands in place of the buttons. `pressed`: the key of the button they pressed last.
    """

    msgid: str
    userid: str
    at: datetime
    kind: Literal["text", "card"]
    content: str | dict[str, Any]
    task_id: str | None = None
    replaced: str | None = None
    pressed: str | None = None
    selected: dict[str, list[str]] = field(default_factory=dict)

    @property
    def card(self) -> dict[str, Any]:
        return self.content if isinstance(self.content, dict) else {}

    @property
    def buttons(self) -> list[Button]:
        """The buttons that can be pressed now: none once they were replaced."""
        if self.replaced is not None:
            return []
        return [
            Button(each.get("key", ""), each["text"], each.get("style", 1)) for each in self.card.get("button_list", [])
        ]

    @property
    def question(self) -> str | None:
        """The key of the drop-down list, where the card has one."""
        selection = self.card.get("button_selection")
        return selection["question_key"] if selection else None

    @property
    def options(self) -> list[Option]:
        selection = self.card.get("button_selection") or {"option_list": []}
        return [Option(each["id"], each["text"]) for each in selection["option_list"]]

    @property
    def links(self) -> list[tuple[str, str]]:
        """Where it leads, as (words, address): the links in a text; what a card opens when it is pressed."""
        if isinstance(self.content, str):
            return [(words, unescape(url)) for url, words in LINK.findall(self.content)]
        jumps = [each for each in self.card.get("jump_list") or [] if each.get("type") == 1]
        found = [(each["title"], each["url"]) for each in jumps]
        action = self.card.get("card_action") or {}
        if action.get("type") == 1 and action["url"] not in [url for _, url in found]:
            found.append(("打开", action["url"]))
        return found

    @property
    def text(self) -> str:
        return readable(self.content)


def readable(content: str | Mapping[str, Any]) -> str:
    """All that can be read in a message, one piece a line."""
    if isinstance(content, str):
        return LINK.sub(r"\2", content)
    title = content.get("main_title") or {}
    pieces = [title.get("title"), title.get("desc"), content.get("sub_title_text")]
    pieces += [
        f"{each.get('keyname', '')} {each.get('value', '')}" for each in content.get("horizontal_content_list") or []
    ]
    pieces += [each["text"] for each in (content.get("button_selection") or {"option_list": []})["option_list"]]
    return "\n".join(each for each in pieces if each)


@dataclass(frozen=True)
class Delivered:
    """A message that reached one person."""

    userid: str
    kind: Literal["text", "card"]
    content: str | dict[str, Any]
    at: datetime
    task_id: str | None = None

    @property
    def text(self) -> str:
        return readable(self.content)


@dataclass
class _Sending:
    """What was sent under a task_id."""

    digest: str
    at: datetime


@dataclass
class _Code:
    task_id: str
    agent_id: int
    at: datetime
    used: bool = False


class PostOffice:
    """`sent`: all that was delivered, in order. `dropped`: what members lost to the per-member limits, by userid."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._inboxes: dict[str, list[Received]] = defaultdict(list)
        self._tasks: dict[str, _Sending] = {}
        self._cards: dict[str, dict[str, Received]] = {}
        self._codes: dict[str, _Code] = {}
        self._delivered_at: dict[tuple[str, str], datetime] = {}
        self._recent: dict[str, deque[datetime]] = defaultdict(deque)
        self.sent: list[Delivered] = []
        self.dropped: Counter[str] = Counter()
        self.duplicates = 0

    def inbox(self, userid: str) -> list[Received]:
        return self._inboxes[userid]

    def send(
        self,
        to: Sequence[str],
        kind: Literal["text", "card"],
        content: str | dict[str, Any],
        *,
        duplicate_check: timedelta | None,
    ) -> dict[str, str]:
        """Deliver to `to` (all valid). Returns msgid, and response_code for cards. Raises ApiError 42014.

        With `duplicate_check` the same content reaches the same person once within that time (page 90236).
        """
        now = self._world.clock.now()
        task_id = content.get("task_id") if isinstance(content, dict) else None
        digest = _digest(kind, content)
        if task_id:
            self._claim_task(task_id, _digest(kind, content, to), now, duplicate_check)
        answer = {"msgid": self._world.new_id("msg", 40)}
        for userid in to:
            last = self._delivered_at.get((userid, digest))
            if duplicate_check and last and now - last < duplicate_check:
                self.duplicates += 1
                continue
            self._delivered_at[userid, digest] = now
            self._deliver(Received(answer["msgid"], userid, now, kind, content, task_id))
        if task_id:
            answer["response_code"] = self.new_code(task_id)
        return answer

    def _claim_task(self, task_id: str, digest: str, now: datetime, duplicate_check: timedelta | None) -> None:
        """A task_id is unique in the app: it comes again only as the very same sending, found by duplicate check."""
        before = self._tasks.get(task_id)
        if before is None:
            self._tasks[task_id] = _Sending(digest, now)
        elif before.digest != digest or not duplicate_check or now - before.at >= duplicate_check:
            raise ApiError(42014, "task_id has been used")

    def _deliver(self, received: Received) -> None:
        if not self._has_room(received.userid, received.at):
            self.dropped[received.userid] += 1
            return
        self._inboxes[received.userid].append(received)
        if received.task_id:
            self._cards.setdefault(received.task_id, {})[received.userid] = received
        self.sent.append(Delivered(received.userid, received.kind, received.content, received.at, received.task_id))
        self._world.received(received)

    def _has_room(self, userid: str, now: datetime) -> bool:
        """At most 30 a minute and 1,000 an hour to one member; the rest is silently dropped (page 90454)."""
        limits, recent = self._world.limits, self._recent[userid]
        while recent and now - recent[0] >= timedelta(hours=1):
            recent.popleft()
        in_last_minute = 0
        for at in reversed(recent):
            if now - at >= timedelta(minutes=1):
                break
            in_last_minute += 1
        if in_last_minute >= limits.member_per_minute or len(recent) >= limits.member_per_hour:
            return False
        recent.append(now)
        return True

    def new_code(self, task_id: str) -> str:
        """A response code: good for one update within 72 hours (page 94945)."""
        code = self._world.new_id("code", 43)
        self._codes[code] = _Code(task_id, self._world.agent_id, self._world.clock.now())
        return code

    def spend_code(self, code: str) -> str:
        """The task_id that this code updates. Raises ApiError: 42016 unknown or too old, 42022 used [NV]."""
        known = self._codes.get(code)
        if known is None or self._world.clock.now() - known.at >= CODE_LIFE:
            raise ApiError(42016, "invalid response_code")
        if known.used:
            raise ApiError(42022, "response_code")
        known.used = True
        return known.task_id

    def received_by(self, task_id: str) -> dict[str, Received]:
        """userid → the card, for everybody who got it."""
        return self._cards.get(task_id, {})

    def press(self, userid: str, task_id: str, key: str, selected: Mapping[str, Sequence[str]] | None) -> Received:
        """Note that somebody pressed a button. Raises ImpossibleError where the client shows no such button."""
        received = self.received_by(task_id).get(userid)
        if received is None:
            raise ImpossibleError("没有收到过这张卡片")
        if received.replaced is not None:
            raise ImpossibleError(f"按钮已变为「{received.replaced}」，不能再点")
        if key not in [each.key for each in received.buttons]:
            raise ImpossibleError("卡片上没有这个按钮")
        received.pressed = key
        received.selected = _chosen(received, selected)
        return received


def _chosen(received: Received, selected: Mapping[str, Sequence[str]] | None) -> dict[str, list[str]]:
    """What the drop-down list says: the choice, else the card's default, else its first option (page 90236)."""
    if received.question is None:
        return {}
    ids = [each.id for each in received.options]
    if selected:
        chosen = list(selected.get(received.question, []))
        if not chosen or not set(chosen) <= set(ids):
            raise ImpossibleError("下拉框里没有这个选项")
        return {received.question: chosen}
    default = received.card["button_selection"].get("selected_id")
    return {received.question: [default if default in ids else ids[0]]}


def _digest(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
