"""Welcomes: templates for groups (page 92366), which people attach by hand, and greetings by code (page 92137)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from simulator.errors import ApiError, ImpossibleError

if TYPE_CHECKING:
    from simulator.groups import Group
    from simulator.people import Customer
    from simulator.world import World

CODE_LIVES = timedelta(seconds=20)
MOST_TEMPLATES = 100


@dataclass
class Template:
    """A group welcome in the corp's library. `notify`: staff were told of it."""

    template_id: str
    text: str
    notify: bool


@dataclass
class Code:
    """A WelcomeCode. `used`: somebody has greeted with it."""

    userid: str
    external_userid: str
    at: datetime
    used: bool = False


@dataclass(frozen=True)
class Greeting:
    """What somebody was shown: by a person they added, or (`chat_id`) by a group that they came into."""

    at: datetime
    userid: str
    external_userid: str
    text: str
    chat_id: str = ""


class Welcomes:
    """`attached`: group → template. `shown`: all greetings, in order."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.templates: dict[str, Template] = {}
        self.attached: dict[str, str] = {}
        self.codes: dict[str, Code] = {}
        self.shown: list[Greeting] = []

    # --- groups -------------------------------------------------------------------------------------------------------

    def add(self, text: str, *, notify: bool) -> Template:
        """Raises ApiError where the library is full."""
        if len(self.templates) >= MOST_TEMPLATES:
            raise ApiError(45029)
        made = Template(self._world.new_id("template", 32), text, notify)
        self.templates[made.template_id] = made
        return made

    def get(self, template_id: str) -> Template:
        """Raises ApiError."""
        found = self.templates.get(template_id)
        if found is None:
            raise ApiError(40058, "template_id")
        return found

    def delete(self, template_id: str) -> None:
        """Groups that it is attached to have none any more. Raises ApiError."""
        del self.templates[self.get(template_id).template_id]
        self.attached = {group: each for group, each in self.attached.items() if each != template_id}

    def attach(self, group: "Group", template_id: str, by: str) -> None:
        """The owner chooses a template for the group: by hand, no API does. Raises ImpossibleError."""
        if by != group.owner:
            raise ImpossibleError("只有群主可以设置入群欢迎语")
        if template_id not in self.templates:
            raise ImpossibleError("没有这条欢迎语")
        self.attached[group.chat_id] = template_id

    def enters(self, group: "Group", person: "Customer") -> None:
        """A newcomer is shown the group's welcome, with their name in it."""
        template = self.templates.get(self.attached.get(group.chat_id, ""))
        if template is not None:
            text = template.text.replace("%NICKNAME%", person.name)
            self.shown.append(Greeting(self._world.clock.now(), group.owner, person.id, text, group.chat_id))

    # --- people -------------------------------------------------------------------------------------------------------

    def issue(self, code: str, userid: str, external_userid: str) -> None:
        """A new contact brings a code."""
        self.codes[code] = Code(userid, external_userid, self._world.clock.now())

    def greet(self, code: str, text: str) -> None:
        """Raises ApiError: 41050 no such code, or too late; 41051 used; 41096 another app is at it."""
        known, now = self.codes.get(code), self._world.clock.now()
        if known is None or now >= known.at + CODE_LIVES:
            raise ApiError(41050)
        if known.used:
            raise ApiError(41051)
        if self._world.strikes("other_app_greets"):
            raise ApiError(41096)
        known.used = True
        self.shown.append(Greeting(now, known.userid, known.external_userid, text))
        staff, person = self._world.staff[known.userid], self._world.customers[known.external_userid]
        self._world.tell(staff.name, f"（自动）对{person.name}说：{text.split(chr(10), 1)[0]}", person=person.id)

    def seen_by(self, external_userid: str) -> list[Greeting]:
        """What this person was shown, oldest first."""
        return [each for each in self.shown if each.external_userid == external_userid]
