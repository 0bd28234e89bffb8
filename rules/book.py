"""The whole configuration as one typed value: every rule's and every feature's own settings, put together."""

from fnmatch import fnmatchcase
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, PrivateAttr, model_validator
from pydantic_core import PydanticCustomError

from rules.advert_and_leave import AdvertAndLeave
from rules.blocklist import Blocklist
from rules.budget import Budget
from rules.checkins import Checkin
from rules.checkins import mistakes as checkin_mistakes
from rules.draw_checks import mistakes as draw_mistakes
from rules.draws import Draw
from rules.entrances import Entrance, mistakes
from rules.events import Event
from rules.flood import Flood
from rules.friend_adding import FriendAdding
from rules.group_hopper import GroupHopper
from rules.group_integrity import GroupIntegrity
from rules.holidays import Holidays
from rules.invite_guard import InviteGuard
from rules.keywords import Keywords
from rules.leading import daily_posts
from rules.links import Links
from rules.nickname import Nickname
from rules.one_group_each import OneGroupEach
from rules.other_company import OtherCompany
from rules.patterns import PatternRule
from rules.posts import Post, Posting
from rules.posts import mistakes as post_mistakes
from rules.quick_leaver import QuickLeaver
from rules.removal import Removal
from rules.rewards import Rewards
from rules.rule import AnyRuleOf, Names, Settings
from rules.welcome import Welcome
from rules.when import Hours

AnyRule = Annotated[
    OtherCompany
    | Blocklist
    | OneGroupEach
    | GroupHopper
    | QuickLeaver
    | InviteGuard
    | GroupIntegrity
    | Nickname
    | Keywords
    | PatternRule
    | Links
    | Flood
    | AdvertAndLeave
    | FriendAdding,
    Field(discriminator="rule"),
]
"""The registry of rules: the union of their classes, told apart by their key `rule`."""

_LIST_ONLY = Blocklist(rule="blocklist", removed_people=False)


class Shop(Settings):
    """一家门店：它的群和店员。"""

    groups: Names = Field(description="这家店的群：群名的通配写法，如 *静安*。")
    staff: Names = Field(default=(), description="店员：姓名或 userid。")
    deputies: Names = Field(
        default=(),
        description="代理人：姓名或 userid。班外时间先请他们（要是群主或群管理员才能移出），没人处理时也提醒他们。",
    )
    off_duty: Hours | None = Field(
        default=None, description="班外时间：不打扰店员，事情留到上班再请；有代理人的先请代理人。"
    )


def _rules_as_tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


class Book(Settings):
    """群管家的全部设置。"""

    managers: Names = Field(default=(), description="负责人：姓名或 userid。没人处理的事会告诉他们。")
    shops: dict[str, Shop] = Field(default={}, description="门店：店名 → 群和店员。")
    groups: dict[str, Names] = Field(
        default={}, description="群的种类：种类名 → 群名的通配写法。先写的先算；都不合的叫 other。"
    )
    rules: Annotated[tuple[AnyRule, ...], BeforeValidator(_rules_as_tuple)] = Field(
        default=(), description="群规，逐条写。"
    )
    removal: Removal = Field(default=Removal(), description="移出外人：等多久、提醒谁。")
    welcome: Welcome = Field(default=Welcome(), description="欢迎语：新人进群、新客户加好友时说什么。")
    entrances: Annotated[tuple[Entrance, ...], BeforeValidator(_rules_as_tuple)] = Field(
        default=(), description="入口：印出去的二维码，扫了进哪一类群。"
    )
    tags: dict[str, Names] = Field(
        default={}, description="群标签：标签名 → 群名的通配写法。一个群可以有几个标签；定时内容的 to 里可以写。"
    )
    posts: Annotated[tuple[Post, ...], BeforeValidator(_rules_as_tuple)] = Field(
        default=(), description="定时内容：什么时候、发到哪些群、说什么。"
    )
    posting: Posting = Field(default=Posting(), description="定时内容的总设置：安静时段、额度、节日。")
    holidays: Holidays = Field(default=Holidays(), description="放假安排：自带的日历不知道的年份，或公司自己的假。")
    rewards: Rewards = Field(default=Rewards(), description="奖励：守规矩、打卡、答题得积分。")
    budget: Budget | None = Field(default=None, description="预算：一个月最多发多少红包。")
    draws: Annotated[tuple[Draw, ...], BeforeValidator(_rules_as_tuple)] = Field(
        default=(), description="抽奖：奖品、什么时候、谁能参加、怎么领。"
    )
    checkins: Annotated[tuple[Checkin, ...], BeforeValidator(_rules_as_tuple)] = Field(
        default=(), description="打卡：给哪些群的新人、每天做什么、怎么算、打满了给什么。"
    )

    _made: tuple[tuple[Post, ...], tuple[Checkin, ...], tuple[Post, ...]] | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        places: dict[str, int] = {}
        for place, rule in enumerate(self.rules):
            if rule.title in places:
                at = ("rules", place, "name") if rule.name else ("rules", place)
                raise PydanticCustomError(
                    "doubled",
                    "第 {first} 条和第 {second} 条规则都叫「{title}」：请给其中一条写上不同的 name",
                    {"first": places[rule.title] + 1, "second": place + 1, "title": rule.title, "at": at},
                )
            if rule.title == _LIST_ONLY.title and not isinstance(rule, Blocklist):
                raise PydanticCustomError(
                    "taken",
                    "「{title}」是黑名单规则的名字，请换一个 name",
                    {"title": rule.title, "at": ("rules", place, "name")},
                )
            places[rule.title] = place
        return self

    @model_validator(mode="after")
    def _adverts_are_told_above(self) -> Self:
        for place, rule in enumerate(self.rules):
            if isinstance(rule, AdvertAndLeave) and (stranger := rule.stand_below(self.rules[:place])):
                reason = "本规则上面没有叫「{name}」的规则（adverts 写的是查广告的规则的名字，它们要写在本规则上面）"
                at = ("rules", place, "adverts")
                raise PydanticCustomError("stranger", reason, {"name": stranger, "at": at})
        return self

    @model_validator(mode="after")
    def _entrances_fit_together(self) -> Self:
        wrong = mistakes(self.entrances, self.groups, self.shops)
        if wrong is not None:
            at = ("entrances", *wrong.at)
            raise PydanticCustomError("entrance", "{reason}", {"reason": wrong.reason, "at": at})
        return self

    @model_validator(mode="after")
    def _posts_fit_together(self) -> Self:
        wrong = post_mistakes(
            self.posts,
            {
                "一类群": self.groups,
                "门店": self.shops,
                "群标签": self.tags,
                "入口": [each.name for each in self.entrances],
            },
        )
        if wrong is not None:
            reason, at = wrong
            raise PydanticCustomError("post", "{reason}", {"reason": reason, "at": ("posts", *at)})
        return self

    @model_validator(mode="after")
    def _draws_fit_together(self) -> Self:
        wrong = draw_mistakes(self.draws, self.budget)
        if wrong is not None:
            raise PydanticCustomError("draw", "{reason}", {"reason": wrong.reason, "at": ("draws", *wrong.at)})
        return self

    @model_validator(mode="after")
    def _checkins_fit_together(self) -> Self:
        wrong = checkin_mistakes(self.checkins)
        if wrong is not None:
            reason, at = wrong
            raise PydanticCustomError("checkin", "{reason}", {"reason": reason, "at": ("checkins", *at)})
        for place, draw in enumerate(self.draws):
            if draw.checkin and self.checkin(draw.checkin) is None:
                reason = f"没有叫「{draw.checkin}」的打卡"
                raise PydanticCustomError("draw", "{reason}", {"reason": reason, "at": ("draws", place, "checkin")})
        return self

    def checkin(self, name: str) -> Checkin | None:
        """The check-in of this name."""
        return next((each for each in self.checkins if each.name == name), None)

    def draw(self, name: str) -> Draw | None:
        """The draw of this name."""
        return next((each for each in self.draws if each.name == name), None)

    @property
    def calendar(self) -> tuple[Post, ...]:
        """All that goes out by itself: the posts as written, and the daily ones of the check-ins. Made once."""
        made = self._made
        if made is None or made[0] is not self.posts or made[1] is not self.checkins:  # of a copy with others
            daily = (post for checkin in self.checkins for post in daily_posts(checkin))
            made = self._made = (self.posts, self.checkins, (*self.posts, *daily))
        return made[2]

    def post(self, name: str) -> Post | None:
        """The post of this name."""
        return next((each for each in self.calendar if each.name == name), None)

    def entrance(self, name: str) -> Entrance | None:
        """The entrance of this name."""
        return next((each for each in self.entrances if each.name == name), None)

    @property
    def in_force(self) -> tuple[AnyRuleOf, ...]:
        """The rules as written; and the blocklist, which other rules and people put somebody on, even where no rule of
        that kind is written.
        """
        return self.rules if any(isinstance(rule, Blocklist) for rule in self.rules) else (*self.rules, _LIST_ONLY)

    def about(self, family: type[Event]) -> tuple[AnyRuleOf, ...]:
        """The rules in force that are asked about events of this family, in the order of the config."""
        return tuple(rule for rule in self.in_force if family in rule.about)

    def shop_of(self, group_name: str) -> Shop | None:
        """The shop that a group of this name belongs to: the first whose pattern fits."""
        return self.shops.get(self.shop_name_of(group_name))

    def shop_name_of(self, group_name: str) -> str:
        """What that shop is called; "" where the group belongs to none."""
        for name, shop in self.shops.items():
            if any(fnmatchcase(group_name, pattern) for pattern in shop.groups):
                return name
        return ""

    def kind_of(self, group_name: str) -> str:
        """The kind a group of this name belongs to: the first that fits in the order written, else "other"."""
        for kind, patterns in self.groups.items():
            if any(fnmatchcase(group_name, pattern) for pattern in patterns):
                return kind
        return "other"
