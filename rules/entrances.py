"""Entrances: where a printed code leads. Settings, and which groups a scan may lead to. Pure.

Every entrance has a stable code (`/e/{name}`). Behind it stands one kind of groups: prepared ones, of which each
customer gets their own, or shared ones that are filled one after the other.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BeforeValidator, Field, field_validator

from rules.rule import Names, Settings, Spelled, YesNo
from rules.stock import Below
from rules.value import Value
from rules.when import Duration

MOST_MEMBERS = 200
"""Scanning a code stops to let people in here; beyond it only invitations do (facts §3)."""

GROUPS_A_WAY = 5  # chat_id_list of one join way (page 99547)
WAYS_A_CORP = 500_000  # join ways and contact ways of a corp together (page 99547)

Show = Literal["code", "add_staff", "preparing", "inside", "waiting", "full", "closed"]


class Door(Value):
    """What a page shows one visitor.

    show        code       press and hold `qr_code` to join `group_name`
                add_staff  add a member of staff first: `add_staff` is the code; the welcome brings the way in
                preparing  a code is being made: look again in some seconds
                inside     they are in `group_name` already
                waiting    everything is full: they are number `place` in the line
                full       everything is full, and nobody waits in line here
                closed     there is no such entrance (any more)

    `qr_code`, `add_staff`: addresses of pictures at the platform. `until`: how long the seat is kept. `entrance`: the
    one that let them in (another, where theirs is full). `shared`: others are in the group, too.
    """

    show: Show
    qr_code: str = ""
    add_staff: str = ""
    group_name: str = ""
    place: int = 0
    until: AwareDatetime | None = None
    entrance: str = ""
    shared: bool = False


Via = Annotated[
    Literal["page", "contact", "native"], Spelled({"页面": "page", "加导购": "contact", "群活码": "native"})
]
Fill = Annotated[Literal["in_order", "evenly"], Spelled({"依次": "in_order", "平均": "evenly"})]
WhenLeft = Annotated[
    Literal["keep", "recycle", "retire"], Spelled({"保留": "keep", "回收": "recycle", "停用": "retire"})
]


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


class Route(Settings):
    """从哪里来的人，进哪些群。"""

    channels: Names = Field(
        default=(), description="渠道：二维码后面写的 ?from=…，可以用通配写法，如 shop-12 或 jingan-*。"
    )
    tags: Names = Field(default=(), description="标签：客户身上有其中一个企业标签就算。")
    groups: str = Field(default="", description="进哪一类群：写种类名；不写就是这个入口自己的那一类。")
    shop: str = Field(default="", description="只进这家店的群：写门店名；不写就不分店。")

    def fits(self, channel: str, tags: Collection[str]) -> bool:
        """Whether somebody with this channel and these tags goes this way."""
        by_channel = not self.channels or any(fnmatchcase(channel, pattern) for pattern in self.channels)
        by_tag = not self.tags or any(tag in tags for tag in self.tags)
        return by_channel and by_tag


class Entrance(Settings):
    """一个入口：一张不会变的二维码，扫了进哪一类群。"""

    name: str = Field(
        description="入口的名字，写在二维码的网址里：小写字母、数字和短横线，如 vip-tea。印出去就不要再改。"
    )
    title: str = Field(default="", description="页面标题：客户在页面上看到的名字，如「绿茶会员群」；不写就不显示。")
    via: Via = Field(
        default="page",
        description="怎么进：page/页面（扫码打开我们的页面）、contact/加导购（先加导购，欢迎语里带链接）、"
        "native/群活码（直接是企业微信的群码，只能用于共用的群）。",
    )
    groups: str = Field(description="进哪一类群：写种类名（groups 里的一个）。")
    one_customer_per_group: YesNo = Field(
        default=False, description="一客一群：每位客户一个预先建好的群，进群后就关门；不写是大家共用。"
    )
    shop: str = Field(default="", description="只用这家店的群，名额不够也只告诉这家店：写门店名。")
    routes: Annotated[tuple[Route, ...], BeforeValidator(_as_tuple)] = Field(
        default=(), description="分流：按渠道、门店或标签进不同的群，先写的先算；都不合的进 groups。"
    )
    spare: Names = Field(default=(), description="备用群：自己的群用完了用哪几类，写种类名。")
    if_full: str = Field(default="", description="都满了转到哪个入口：写另一个入口的名字。")
    wait_in_line: YesNo = Field(default=True, description="都满了能不能排队：有了名额按先后给。")
    keep_seat: Duration = Field(default=timedelta(hours=24), description="名额留多久：扫了码还没进群的人，给TA留着。")
    keep_seat_when_low: Duration = Field(
        default=timedelta(hours=2), description="名额紧张时只留多久（不会比 keep_seat 长）。"
    )
    ready: int = Field(default=20, ge=0, le=200, description="预先做好多少个入群码：客户扫码不用等。")
    warn_below: Below | None = Field(
        default=None, description="还剩多少时告诉店员：如 20个群、50个名额、3天。不写就只在用完时告诉。"
    )
    escalate_after: Duration = Field(default=timedelta(hours=4), description="告诉店员以后多久没有好转就告诉负责人。")
    when_left: WhenLeft = Field(
        default="keep",
        description="客户退群以后（一客一群）：keep/保留（群还给TA留着，过了 keep_left 再回收）、"
        "recycle/回收（店员确认清理干净后给下一位）、retire/停用（这个群不再用）。",
    )
    keep_left: Duration = Field(default=timedelta(days=7), description="退群以后群还给TA留多久。")
    ask_to_close: YesNo = Field(
        default=True, description="客户进了专属群以后，请群主打开「群聊邀请确认」，别人就进不来。"
    )
    fill: Fill = Field(default="in_order", description="共用的群怎么填：in_order/依次（满一个再下一个）、evenly/平均。")
    limit: int = Field(
        default=MOST_MEMBERS, ge=2, le=MOST_MEMBERS, description="共用的群最多多少人：扫码进群到 200 人为止。"
    )
    headroom: int = Field(default=10, ge=0, le=100, description="共用的群留多少个空位给正在路上的人。")
    auto_create_room: YesNo = Field(
        default=False, description="共用的群都满了，让企业微信自动建新群（群名是 room_base_name 加序号）。"
    )
    room_base_name: str = Field(default="", max_length=40, description="自动建的群叫什么，如「会员·静安」。")
    staff: Names = Field(default=(), description="加哪些导购（contact 用）：姓名或 userid，或一家门店的名字。")
    logo: str = Field(default="", description="二维码中间的标志：图片文件，相对于这个设置文件。")
    contact_text: str = Field(
        default="谢谢添加！点下面的链接，就能进群：",
        min_length=1,
        max_length=200,
        description="欢迎语里的话：加导购（contact）以后，欢迎语最后说这一句，下一行是进群的链接；最多 200 个字。",
    )
    card_text: str = Field(
        default="微信扫一扫，按提示进群", max_length=60, description="包裹卡上的话：印在二维码旁边，最多 60 个字。"
    )

    @field_validator("name")
    @classmethod
    def _name_fits_an_address(cls, name: str) -> str:
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", name):
            raise ValueError("入口的名字只能用小写字母、数字和短横线，最多 40 个，如 vip-tea")
        return name

    def route(self, channel: str = "", tags: Collection[str] = ()) -> "Target":
        """Where somebody who came by this channel and has these tags is to go."""
        for route in self.routes:
            if route.fits(channel, tags):
                return Target(kind=route.groups or self.groups, shop=route.shop or self.shop)
        return Target(kind=self.groups, shop=self.shop)

    @property
    def targets(self) -> tuple["Target", ...]:
        """Everywhere that it can lead to, each once."""
        routed = [Target(kind=route.groups or self.groups, shop=route.shop or self.shop) for route in self.routes]
        return tuple(dict.fromkeys([*routed, Target(kind=self.groups, shop=self.shop)]))

    @property
    def looks_at_tags(self) -> bool:
        return any(route.tags for route in self.routes)

    @property
    def kinds(self) -> tuple[str, ...]:
        """Every kind of group that it uses, each once; spare ones last."""
        return tuple(dict.fromkeys([*(target.kind for target in self.targets), *self.spare]))

    @property
    def room_for(self) -> int:
        """How many people a group of it takes before another is used."""
        return 1 if self.one_customer_per_group else self.limit - self.headroom

    def seat_kept(self, *, low: bool) -> timedelta:
        """How long a seat is kept for somebody who has not joined yet."""
        return min(self.keep_seat, self.keep_seat_when_low) if low else self.keep_seat


class Target(Value):
    """Groups of one kind; of one shop, where that is given."""

    kind: str
    shop: str = ""


class Wrong(Value):
    """Something in the entrances does not fit together. `at`: keys and places below `entrances`."""

    reason: str
    at: tuple[str | int, ...]


def mistakes(
    entrances: Sequence[Entrance], kinds: Collection[str], shops: Collection[str]
) -> Wrong | None:  # the first, because one error is raised at a time
    """What does not fit together, in Chinese."""
    names: dict[str, int] = {}
    for place, each in enumerate(entrances):
        if each.name in names:
            reason = f"第 {names[each.name] + 1} 个和第 {place + 1} 个入口都叫「{each.name}」：每个入口要有自己的名字"
            return Wrong(reason=reason, at=(place, "name"))
        names[each.name] = place
    for place, each in enumerate(entrances):
        found = _unknown(each, kinds, shops, names) or _contradiction(each)
        if found is not None:
            return Wrong(reason=found.reason, at=(place, *found.at))
    return _both_ways(entrances) or _circle(entrances, names)


def _unknown(each: Entrance, kinds: Collection[str], shops: Collection[str], names: Mapping[str, int]) -> Wrong | None:
    wanted: list[tuple[str, tuple[str | int, ...]]] = [(each.groups, ("groups",))]
    wanted += [(kind, ("spare", number)) for number, kind in enumerate(each.spare)]
    wanted += [(route.groups, ("routes", number, "groups")) for number, route in enumerate(each.routes) if route.groups]
    for kind, at in wanted:
        if kind not in kinds:
            said = "、".join(kinds) or "还没有写"
            return Wrong(reason=f"「{kind}」不是一类群：先在 groups 里写好这一类（现在有：{said}）", at=at)
    places: list[tuple[str, tuple[str | int, ...]]] = [(each.shop, ("shop",))]
    places += [(route.shop, ("routes", number, "shop")) for number, route in enumerate(each.routes)]
    for shop, at in places:
        if shop and shop not in shops:
            return Wrong(reason=f"没有叫「{shop}」的门店（shops）", at=at)
    if each.if_full and each.if_full not in names:
        return Wrong(reason=f"没有叫「{each.if_full}」的入口", at=("if_full",))
    return None


def _contradiction(each: Entrance) -> Wrong | None:
    alone, native = each.one_customer_per_group, each.via == "native"
    passed_by = next((name for name in ("routes", "spare", "if_full") if getattr(each, name)), "")
    found: tuple[tuple[bool, str, str], ...] = (
        (native and alone, "via", "群活码（native）不认人，不能一客一群：请改成 page 或 contact"),
        (native and bool(passed_by), passed_by, "群活码（native）不经过我们的页面，不能分流、用备用群或转到别的入口"),
        (each.via == "contact" and not each.staff, "via", "先加导购（contact）要写加谁：staff"),
        (each.auto_create_room and alone, "auto_create_room", "一客一群的群要预先建好，不能自动建"),
        (each.auto_create_room and not each.room_base_name, "auto_create_room", "自动建群要写群名：room_base_name"),
        (not alone and each.limit <= each.headroom, "headroom", "headroom 把 limit 占完了，一个人也进不来"),
    )
    return next((Wrong(reason=reason, at=(at,)) for is_wrong, at, reason in found if is_wrong), None)


def _both_ways(entrances: Sequence[Entrance]) -> Wrong | None:
    """A kind of group is either one customer's each, or shared."""
    first: dict[str, Entrance] = {}
    for place, each in enumerate(entrances):
        for kind in each.kinds:
            other = first.setdefault(kind, each)
            if other.one_customer_per_group != each.one_customer_per_group:
                reason = f"「{kind}」这一类群，入口 {other.name} 和 {each.name} 一个一客一群、一个共用，只能选一样"
                return Wrong(reason=reason, at=(place, "groups" if kind == each.groups else "spare"))
    return None


def _circle(entrances: Sequence[Entrance], names: Mapping[str, int]) -> Wrong | None:
    for place, each in enumerate(entrances):
        way, here = [each.name], each
        while here.if_full:
            here = entrances[names[here.if_full]]
            if here.name in way:
                return Wrong(reason=f"转来转去转回来了：{' → '.join([*way, here.name])}", at=(place, "if_full"))
            way.append(here.name)
    return None
