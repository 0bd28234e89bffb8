"""Rule `links`: which addresses may be sent, by domain. A domain speaks for those under it; the longest name decides.

So `deny: all` with `allow: [brand.com]` leaves one's own shop, and `deny: [ads.brand.com]` with it takes a part back.
"""

from datetime import timedelta
from functools import cached_property
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from rules.addresses import MINI_PROGRAM, Address, addresses, comparable
from rules.decision import Decision
from rules.events import MessagePosted
from rules.facts import MessageFacts
from rules.rule import EVERYWHERE, CoolDown, MostADay, Names, Rule, Then

LONGEST = 253  # letters: no domain has more
MINI_PROGRAM_TYPES = ("weapp", "miniprogram")


def _domain(name: str) -> str:
    """An entry of a list as it is compared: `https://Brand.com/x` is `brand.com`. "" for what is no domain."""
    name = name.strip().removeprefix("#")
    if name in EVERYWHERE or name == MINI_PROGRAM:
        return name
    host = comparable(name.split("://", 1)[-1].split("/", 1)[0]).removeprefix("*.").removeprefix("www.")
    labels = host.split(".")
    is_one = len(labels) > 1 and all(label and label.replace("-", "a").replace("_", "a").isalnum() for label in labels)
    return host if is_one else ""


def _are_domains(names: tuple[str, ...]) -> tuple[str, ...]:
    for place, name in enumerate(names):
        if not _domain(name):
            reason = "「{name}」不是网址的域名：写成 brand.com 这样，或者写 all（全部）、小程序"
            raise PydanticCustomError("no_domain", reason, {"name": name, "at": (place,)})
    return names


Domains = Annotated[Names, AfterValidator(_are_domains)]


class Links(Rule[MessagePosted, MessageFacts]):
    """发了不让发的链接：网页、小程序。"""

    about = (MessagePosted,)

    rule: Literal["links"]
    deny: Domains = Field(
        default=("all",),
        description="不让发哪些链接：写域名（brand.com，连同它下面的 *.brand.com）、小程序，或 all（全部）。",
    )
    allow: Domains = Field(default=(), description="可以发哪些链接：写法一样，写得更细的算数。")
    then: Then = ("warn", "warn", "remove")
    cool_down: CoolDown = timedelta(minutes=10)
    most_a_day: MostADay = 50

    @cached_property
    def _denied(self) -> dict[str, bool]:
        """Domain → whether it is denied; what stands in both lists may be sent."""
        return {**{_domain(name): True for name in self.deny}, **{_domain(name): False for name in self.allow}}

    @cached_property
    def _chinese(self) -> list[str]:
        return [name for name in self._denied if not name.isascii() and "." in name]

    def judge(self, event: MessagePosted, facts: MessageFacts) -> Decision:
        seen = [*addresses(facts.text, self._chinese)]
        if event.type in MINI_PROGRAM_TYPES and not any(each.mini_program for each in seen):
            seen.append(Address("", MINI_PROGRAM, mini_program=True))
        for each in seen:
            if entry := self._denied_by(each):
                because = f"发了不让发的链接「{each.written}」（{_says(entry)}）"
                return self.hit(facts, because, evidence=each.written, offence=event.msgid)
        if event.type == "link" and not seen and self._denied_by(Address("", "")):
            return self.hit(facts, "发了链接，看不到网址，而本规则什么链接都不让发", offence=event.msgid)
        return self.miss(facts, f"有 {len(seen)} 个链接，都可以发" if seen else "没有链接")

    def _denied_by(self, address: Address) -> str:
        """The entry that denies it, "" where none does: its own domain first, then those above it, then `all`."""
        for name in self._names(address):
            if name in self._denied:
                return name if self._denied[name] else ""
        return ""

    def _names(self, address: Address) -> list[str]:
        if address.mini_program:
            return [MINI_PROGRAM, *EVERYWHERE]
        labels = address.host[-LONGEST:].split(".")
        return [*(".".join(labels[place:]) for place in range(len(labels))), *EVERYWHERE]


def _says(entry: str) -> str:
    return "只有列出来的可以发" if entry in EVERYWHERE else f"deny 里有 {entry}"
