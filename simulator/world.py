"""A WeCom in a box: one corp, its staff, customers and groups, and what people do there.

What people do raises callbacks; what the API changes raises none (pages 92130, 96361). Nothing happens by itself:
`run_due` carries out what is due at `clock.now()`.
"""

from asyncio import TaskGroup, iscoroutine
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import httpx2

from simulator import callbacks as xml
from simulator import corp
from simulator.callbacks import Attempt, Callback, CallbackSettings, RosterChange
from simulator.clock import Clock, VirtualClock
from simulator.codes import Codes
from simulator.courier import Courier
from simulator.errors import ImpossibleError
from simulator.faults import Fate, Faults
from simulator.group_messages import GroupMessages
from simulator.groups import Group, Member, Snapshot
from simulator.habits import hears, was_removed
from simulator.ids import Ids
from simulator.joins import Joins, Scanned, may_enter
from simulator.limits import Limits, Tokens, Usage
from simulator.logins import Logins
from simulator.messages import Delivered, PostOffice, Received
from simulator.pay import Merchant
from simulator.people import Customer, Follow, Staff
from simulator.schedule import Deed, Schedule
from simulator.story import Story
from simulator.tags import CorpTags
from simulator.talk import Said, Talk
from simulator.transfers import Transfers
from simulator.webview import WebViews
from simulator.welcome import Welcomes

Person = Customer | Staff


class World:
    """The names below are what demo, rehearse and tests program against; parts do the work.

    `calls`: how often each (endpoint, errcode) was worked out, also where a fault then lost the answer.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        seed: int = 1,
        faults: Faults | None = None,
        corp_id: str = corp.CORP_ID,
        secret: str = corp.SECRET,
        agent_id: int = corp.AGENT_ID,
        token: str = corp.TOKEN,
        aes_key: str = corp.AES_KEY,
        gives_unionid: bool = True,
        limits: Limits | None = None,
        callbacks: CallbackSettings | None = None,
        strict_cards: bool = True,
    ) -> None:
        self.clock, self.seed = clock, seed
        self.faults, self.fate = faults or Faults(), Fate(seed)
        self.corp_id, self.secret, self.agent_id = corp_id, secret, agent_id
        self.gives_unionid, self.strict_cards = gives_unionid, strict_cards
        self.limits, self.callbacks = limits or Limits(), callbacks or CallbackSettings()
        self.real_time = not isinstance(clock, VirtualClock)
        self.read_lag = timedelta(seconds=2)
        self.ip_allowed = self.contact_permission = True
        self.staff: dict[str, Staff] = {}
        self.customers: dict[str, Customer] = {}
        self.groups: dict[str, Group] = {}
        self.calls: Counter[tuple[str, int]] = Counter()
        self.too_long: list[tuple[str, str, int, int]] = []
        self.on_story: list[Story] = []
        self.schedule = Schedule()
        self.tokens, self.usage, self.mail = Tokens(self), Usage(self), PostOffice(self)
        self.tickets, self.transfers, self.talk = Tokens(self, "ticket"), Transfers(), Talk(self)
        self.welcomes, self.group_messages = Welcomes(self), GroupMessages(self)
        self.logins, self.tags = Logins(self), CorpTags(self)
        self.codes, self.joins, self.merchant = Codes(self), Joins(self), Merchant(self)
        self.web = WebViews(self)
        self.address = "http://127.0.0.1"  # where its pictures are; a server puts its own here
        self.courier = Courier(self, token, aes_key)
        self._ids = Ids(seed)

    # --- what to look at ----------------------------------------------------------------------------------------------

    @property
    def sent(self) -> list[Delivered]:
        """Every message that reached a person, in order."""
        return self.mail.sent

    @property
    def undelivered(self) -> list[Callback]:
        """Callbacks that are lost for good."""
        return self.courier.undelivered

    @property
    def acknowledged(self) -> list[Callback]:
        """Callbacks that the bot answered 200, once per such answer."""
        return self.courier.acknowledged

    def inbox(self, userid: str) -> list[Received]:
        """All messages and cards of one member of staff, as they look now, oldest first."""
        return self.mail.inbox(userid)

    def group_now(self, chat_id: str) -> Snapshot:
        """The truth about a group, whatever the read API says. Raises KeyError."""
        return self.groups[chat_id].now()

    # --- time ---------------------------------------------------------------------------------------------------------

    def callback_to(self, url: str | None, client: httpx2.AsyncClient | None) -> None:
        """Where callbacks go from now on; None: nowhere, and none are kept."""
        self.courier.callback_to(url, client)

    def at(self, when: datetime, deed: Deed) -> None:
        """Plan something: `world.at(noon, lambda: world.join(group, rival))`. A coroutine is carried out."""
        self.schedule.plan(when, deed)

    def next_due(self) -> datetime | None:
        return self.schedule.next_due()

    async def run_due(self, group: TaskGroup | None = None) -> int:
        """Carry out all that is due at `clock.now()`, also what that brings about at once. Returns how much it was.

        One thing after the other, unless a task group is given: then deliveries run in it side by side.
        """
        done = 0
        while (what := self.schedule.take(self.clock.now())) is not None:
            done += 1
            going = self.courier.attempt(what) if isinstance(what, Attempt) else what()
            if not iscoroutine(going):
                continue
            if group is None:
                await going
            else:
                group.create_task(going)
        return done

    async def verify_url(self) -> bool:
        """Save the callback address in the console: does the bot answer its echostr?"""
        return await self.courier.verify_url()

    # --- people and contacts ------------------------------------------------------------------------------------------

    def add_staff(self, userid: str, name: str, *, visible: bool = True, serves: bool = True) -> Staff:
        """`visible`: in the app's visible range. `serves`: has 客户联系."""
        self.staff[userid] = Staff(userid, name, visible, serves)
        return self.staff[userid]

    def add_customer(self, name: str) -> Customer:
        """Somebody on WeChat."""
        return self._add_outsider(Customer(self.new_id("wm", 30), name, unionid=self.new_id("o", 27)))

    def add_rival(self, name: str, company: str, *, on: str = "wecom", position: str = "销售顾问") -> Customer:
        """Somebody from another company, on "wecom" or on "wechat" (where nothing shows that they are)."""
        if on == "wechat":
            person = self.add_customer(name)
            person.company = company
            return person
        return self._add_outsider(Customer(self.new_id("wo", 30), name, 2, company=company, position=position))

    def _add_outsider(self, person: Customer) -> Customer:
        self.customers[person.id] = person
        return person

    def make_contact(
        self, userid: str, person: Customer | str, state: str | None = None, *, half: bool = False
    ) -> None:
        """Staff and person add each other. From then on `externalcontact/get` knows the person (else 84061).

        WeChat people bring a WelcomeCode, good for 20 seconds; people of other companies' WeCom do not (page 92277).
        """
        who, now = self._outsider(person), self.clock.now()
        lag = self.read_lag if self.strikes("lagging_reads") else timedelta(0)
        who.follows[userid] = Follow(userid, now, now + lag, state)
        welcome = self.new_id("welcome", 43) if who.type == 1 else None
        if welcome is not None:
            self.welcomes.issue(welcome, userid, who.id)
        change = "add_half_external_contact" if half else "add_external_contact"
        self._contact_event(change, userid, who, {"State": state, "WelcomeCode": welcome})
        self.tell(who.name, f"加了{self.staff[userid].name}为好友", userid=userid, person=who.id)

    def end_contact(self, userid: str, person: Customer | str, *, by_staff: bool) -> None:
        """One of the two deletes the other."""
        who = self._outsider(person)
        del who.follows[userid]
        self._contact_event("del_external_contact" if by_staff else "del_follow_user", userid, who, {})
        actor, other = (self.staff[userid].name, who.name) if by_staff else (who.name, self.staff[userid].name)
        self.tell(actor, f"删除了好友{other}", userid=userid, person=who.id)

    # --- groups -------------------------------------------------------------------------------------------------------

    def create_group(
        self,
        name: str,
        owner: str,
        admins: Sequence[str] = (),
        *,
        members: Sequence[Person] = (),
        internal: bool = False,
        confirms: bool = False,
    ) -> Group:
        """A customer group with its owner, its admins, and `members` who are in from the start (no join events).

        `internal`: made as a chat among colleagues instead; no event, no API and no customer ever sees it.
        `confirms`: 群聊邀请确认 is on.
        """
        now, chat_id = self.clock.now(), self.new_id("wr", 30)
        code = self.new_id("code-of-group", 8)
        group = Group(chat_id, name, owner, list(admins), now, code=code, internal=internal, confirms=confirms)
        for userid in (owner, *admins):
            group.members[userid] = Member(userid, 1, now)
        for person in members:
            group.members[person.id] = Member(person.id, 1 if isinstance(person, Staff) else 2, now, invitor=owner)
        group.new_version()
        self.groups[chat_id] = group
        self._before_change(group, born=True)
        self._chat_event(group, "create")
        kind = "内部群" if internal else "客户群"
        self.tell(self.staff[owner].name, f"建了{kind}「{name}」", chat_id=chat_id)
        return group

    def join(
        self,
        group: Group | str,
        person: Person | str,
        scene: int | None = None,
        invitor: Person | str | None = None,
        state: str | None = None,
    ) -> None:
        """Somebody enters. `scene` is join_scene: 1 invited directly, 2 by a link, 3 scanned the code; without it 1 if
        there is an `invitor`, else 3. Raises ImpossibleError: already in, group full, code shut at 200 members."""
        self.join_together(group, [person], scene, invitor, state)

    def join_together(
        self,
        group: Group | str,
        people: Sequence[Person | str],
        scene: int | None = None,
        invitor: Person | str | None = None,
        state: str | None = None,
    ) -> None:
        """Several people enter in one change of the group, told by one callback."""
        into, everybody = self._group(group), [self._person(each) for each in people]
        by = self._person(invitor) if invitor is not None else None
        how = scene if scene is not None else (1 if by else 3)
        may_enter(into, everybody, scene=how)
        self._before_change(into)
        for each in everybody:
            kind = 1 if isinstance(each, Staff) else 2
            into.members[each.id] = Member(each.id, kind, self.clock.now(), how, by.id if by else None, state)
        self._roster_event(into, joined=True, scene=3 if how == 3 else 0, members=[each.id for each in everybody])
        way = "扫码" if how == 3 else f"由{by.name}邀请" if by else "通过邀请"
        for each in everybody:
            if isinstance(each, Customer):
                self.welcomes.enters(into, each)
            self.tell(self._title(each), f"{way}进入群「{into.name}」", chat_id=into.chat_id, person=each.id)

    def scan(self, person: Person | str, code: str) -> Scanned:
        """Somebody scans a code: a group's own, or one of the API's (simulator/joins.py). Raises ImpossibleError."""
        return self.joins.scan(self._person(person), code)

    def leave(self, group: Group | str, person: Person | str) -> None:
        """Somebody leaves by themselves. Raises ImpossibleError."""
        out_of, who = self._group(group), self._person(person)
        self._take_out(out_of, [who], quit_scene=0)
        self.tell(self._title(who), f"退出了群「{out_of.name}」", chat_id=out_of.chat_id, person=who.id)

    def remove(self, group: Group | str, person: Person | str, by: str) -> None:
        """The owner or an admin takes somebody out. The event does not say who did. Raises ImpossibleError."""
        out_of, who = self._group(group), self._person(person)
        if by not in out_of.removers:
            raise ImpossibleError("只有群主和群管理员可以移出群成员")
        if who.id == out_of.owner:
            raise ImpossibleError("群主不能被移出")
        self._take_out(out_of, [who], quit_scene=1)
        self.tell(
            self.staff[by].name, f"把{self._title(who)}移出了群「{out_of.name}」", chat_id=out_of.chat_id, person=who.id
        )
        if isinstance(who, Customer):
            was_removed(self, out_of, who)

    def _take_out(self, group: Group, people: Sequence[Person], quit_scene: int) -> None:
        if outside := [each.name for each in people if each.id not in group.members]:
            raise ImpossibleError(f"{'、'.join(outside)}不在群里")
        self._before_change(group)
        for each in people:
            del group.members[each.id]
            if each.id in group.admins:
                group.admins.remove(each.id)
        self._roster_event(group, joined=False, scene=quit_scene, members=[each.id for each in people])

    def rename(self, group: Group | str, name: str) -> None:
        changed = self._group(group)
        self._before_change(changed)
        changed.name = name
        self._chat_event(changed, "update", "change_name")

    def change_notice(self, group: Group | str, notice: str) -> None:
        changed = self._group(group)
        self._before_change(changed)
        changed.notice = notice
        self._chat_event(changed, "update", "change_notice")

    def change_owner(self, group: Group | str, userid: str, *, by_api: bool = False) -> None:
        """The owner hands the group over in the client, or an API does: then no event tells of it (page 96361)."""
        changed = self._group(group)
        if userid not in changed.members:
            raise ImpossibleError("新群主不在群里")
        self._before_change(changed)
        changed.owner = userid
        changed.admins = [each for each in changed.admins if each != userid]
        if not by_api:
            self._chat_event(changed, "update", "change_owner")
        self.tell(self.staff[userid].name, f"成为群「{changed.name}」的群主", chat_id=changed.chat_id)

    def set_admins(self, group: Group | str, admins: Sequence[str]) -> None:
        """The owner names the admins (at most 3). No event tells of it."""
        changed = self._group(group)
        self._before_change(changed)
        changed.admins = list(admins)

    def dismiss(self, group: Group | str) -> None:
        gone = self._group(group)
        self._before_change(gone)
        gone.dismissed = True
        gone.members.clear()
        self._chat_event(gone, "dismiss")
        self.tell(self.staff[gone.owner].name, f"解散了群「{gone.name}」", chat_id=gone.chat_id)

    def says(self, person: Person | str, group: Group | str, text: str, type: str = "text") -> Said:  # noqa: A002
        """Somebody writes in a group that they are in; `type` as the archive names it. Raises ImpossibleError."""
        return self.talk.says(self._person(person), self._group(group), text, type)

    # --- cards --------------------------------------------------------------------------------------------------------

    def press(
        self, userid: str, task_id: str, button_key: str, selected: Mapping[str, Sequence[str]] | None = None
    ) -> str:
        """A member of staff presses a card's button. Returns the fresh ResponseCode. Raises ImpossibleError."""
        received = self.mail.press(userid, task_id, button_key, selected)
        code = self.mail.new_code(task_id)
        press = xml.Press(
            userid, button_key, task_id, "button_interaction", code, self.agent_id, dict(received.selected)
        )
        text = xml.card_event(self.corp_id, self.clock.now(), press, option_ids_tag=self.callbacks.option_ids_tag)
        self.courier.post("template_card_event", text)
        label = next(each.text for each in received.buttons if each.key == button_key)
        self.tell(self.staff[userid].name, f"点了「{label}」", task_id=task_id, key=button_key)
        return code

    def received(self, received: Received) -> None:
        """A message has reached somebody: it becomes part of the story, and they may act on it."""
        staff = self.staff[received.userid]
        first_line = received.text.split("\n", 1)[0]
        what = "收到卡片" if received.kind == "card" else "收到消息"
        self.tell(staff.name, f"{what}：{first_line}", userid=staff.userid, task_id=received.task_id)
        hears(self, staff, received)

    # --- the platform's own doings ------------------------------------------------------------------------------------

    def invalidate_token(self) -> None:
        """The present access token stops working before its time (40014)."""
        self.tokens.invalidate()

    def strikes(self, kind: str) -> bool:
        """Whether a fault of this kind happens now."""
        return self.fate.strikes(self.faults, kind)

    def new_id(self, kind: str, length: int) -> str:
        """An opaque id (simulator/ids.py)."""
        return self._ids.new(kind, length)

    def tell(self, actor: str, text_zh: str, **data: Any) -> None:
        self.on_story.append(Story(self.clock.now(), actor, text_zh, data))

    def _title(self, person: Person) -> str:
        return person.title if isinstance(person, Customer) else person.name

    def _group(self, group: Group | str) -> Group:
        return self.groups[group] if isinstance(group, str) else group

    def _outsider(self, person: Customer | str) -> Customer:
        return self.customers[person] if isinstance(person, str) else person

    def _person(self, person: Person | str) -> Person:
        if not isinstance(person, str):
            return person
        return self.staff[person] if person in self.staff else self.customers[person]

    def _before_change(self, group: Group, *, born: bool = False) -> None:
        if self.strikes("lagging_reads"):
            group.stay_behind(self.clock.now() + self.read_lag, born=born)

    def _roster_event(self, group: Group, *, joined: bool, scene: int, members: Sequence[str]) -> None:
        before = group.new_version()
        change = RosterChange(joined, scene, members, before, group.version)
        self._chat_event(group, "update", "add_member" if joined else "del_member", change)

    def _chat_event(self, group: Group, change: str, detail: str = "", roster: RosterChange | None = None) -> None:
        """Only customer groups whose owner is in the app's visible range are told of (page 96361)."""
        if group.internal or not self.staff[group.owner].visible:
            return
        text = xml.chat_event(
            self.corp_id,
            self.clock.now(),
            group.chat_id,
            change,
            detail=detail,
            roster=roster,
            member_list=self.callbacks.member_list,
        )
        self.courier.post("/".join(filter(None, ("change_external_chat", change, detail))), text)

    def _contact_event(self, change: str, userid: str, who: Customer, extra: Mapping[str, str | None]) -> None:
        if self.staff[userid].visible:
            text = xml.contact_event(
                self.corp_id, self.clock.now(), change, userid=userid, external_userid=who.id, extra=extra
            )
            self.courier.post(f"change_external_contact/{change}", text)
