"""企业群发: what an app or a member of staff wants said, who has confirmed it, and what each group or customer got.

Nothing goes out before its sender confirms it in the client (page 92135). A sender's habit of confirming is theirs
(`Staff.confirms`): the assistant rings when a task is made, and again with every reminder.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from simulator.errors import ApiError, ImpossibleError

if TYPE_CHECKING:
    from simulator.people import Staff
    from simulator.world import World

ChatType = Literal["single", "group"]
REMINDERS, WITHIN = 3, timedelta(hours=24)
UNSENT, SENT = 0, 2
"""Of a sender (get_groupmsg_task)."""
ARRIVED, NO_FRIEND, CAPPED = 1, 2, 3
"""Of a group or a customer (get_groupmsg_send_result)."""


@dataclass(frozen=True)
class Result:
    """What one group or customer got of a task."""

    status: int
    at: datetime


@dataclass
class Task:
    """One 企业群发 and what became of it. `targets`: sender → chat_ids or external_userids.

    `by_staff`: made in the client by the sender, who sent it at once. `readable_at`: the list knows it from then on.
    `confirmed`: sender → when. `results`: (sender, target) → what it got.
    """

    msgid: str
    chat_type: ChatType
    targets: dict[str, tuple[str, ...]]
    text: str
    attachments: list[dict[str, Any]]
    at: datetime
    readable_at: datetime
    by_staff: bool = False
    cancelled_at: datetime | None = None
    reminded: list[datetime] = field(default_factory=list)
    confirmed: dict[str, datetime] = field(default_factory=dict)
    results: dict[tuple[str, str], Result] = field(default_factory=dict)

    @property
    def arrived(self) -> list[str]:
        """Who got it."""
        return [target for (_, target), result in self.results.items() if result.status == ARRIVED]


@dataclass(frozen=True)
class Confirming:
    """See `Staff.confirms`."""

    after: timedelta
    spread: timedelta
    rings: int


class GroupMessages:
    """`tasks` in the order in which they were made. `got`: target → when it got each task, of whoever."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.tasks: dict[str, Task] = {}
        self.got: dict[str, list[datetime]] = {}
        self.media: dict[str, Media] = {}
        self.lists_unsent = False

    # --- what apps and staff do ---------------------------------------------------------------------------------------

    def add(
        self, chat_type: ChatType, targets: dict[str, tuple[str, ...]], text: str, attachments: list[dict[str, Any]]
    ) -> Task:
        """An app makes a task: not idempotent, the same twice is two. Its senders are rung."""
        task = self._new(chat_type, targets, text, attachments)
        for userid in targets:
            self._rings(task, self._world.staff[userid])
        return task

    def staff_sends(self, userid: str, chat_ids: Sequence[str], text: str) -> Task:
        """A member of staff makes a task for groups of theirs and sends it: it counts for the caps of the groups."""
        task = self._new("group", {userid: tuple(chat_ids)}, text, [])
        task.by_staff = True
        self._send(task, userid)
        return task

    def _new(
        self, chat_type: ChatType, targets: dict[str, tuple[str, ...]], text: str, attachments: list[dict[str, Any]]
    ) -> Task:
        world, now = self._world, self._world.clock.now()
        lag = world.read_lag if world.strikes("lagging_reads") else timedelta(0)
        task = Task(world.new_id("groupmsg", 32), chat_type, targets, text, attachments, now, now + lag)
        self.tasks[task.msgid] = task
        return task

    def task(self, msgid: str, *, of_app: bool = False) -> Task:
        """Raises ApiError. `of_app`: not one that somebody of the staff made."""
        found = self.tasks.get(msgid)
        if found is None or (of_app and found.by_staff):
            raise ApiError(40058, "msgid")
        return found

    def remind(self, msgid: str) -> None:
        """All who have not sent are rung again. Raises ApiError: at most 3 in 24 h (page 97610; the number [NV])."""
        task, now = self.task(msgid, of_app=True), self._world.clock.now()
        if len([at for at in task.reminded if now - at < WITHIN]) >= REMINDERS:
            raise ApiError(45009, "reminders of this task")
        task.reminded.append(now)
        for userid in self.waiting_for(task):
            self._rings(task, self._world.staff[userid])

    def cancel(self, msgid: str) -> None:
        """Those who have not sent need not, and cannot, any more; what was sent stays (page 97611)."""
        task = self.task(msgid, of_app=True)
        task.cancelled_at = task.cancelled_at or self._world.clock.now()

    def waiting_for(self, task: Task) -> list[str]:
        """Who could send it and has not."""
        return [] if task.cancelled_at else [userid for userid in task.targets if userid not in task.confirmed]

    # --- what people do -----------------------------------------------------------------------------------------------

    def confirm(self, userid: str, msgid: str) -> Task:
        """The sender presses 发送 in 群发助手. Raises ImpossibleError."""
        task = self.tasks.get(msgid)
        if task is None or userid not in task.targets:
            raise ImpossibleError("没有这条群发")
        if task.cancelled_at:
            raise ImpossibleError("这条群发已停止")
        if userid in task.confirmed:
            raise ImpossibleError("已经发送过了")
        self._send(task, userid)
        return task

    def open_for(self, userid: str) -> list[Task]:
        """What this person's 群发助手 shows as still to be sent."""
        return [task for task in self.tasks.values() if userid in self.waiting_for(task)]

    def _rings(self, task: Task, staff: "Staff") -> None:
        world, habit = self._world, staff.confirming
        world.tell(staff.name, f"群发助手响了：{task.text.split(chr(10), 1)[0]}", userid=staff.userid)
        staff.rung[task.msgid] += 1
        if habit is None or staff.rung[task.msgid] != habit.rings or staff.left:
            return
        after = habit.after + habit.spread * world.fate.die("confirming").random()

        def confirm() -> None:
            if staff.userid in self.waiting_for(task) and not staff.left:
                self._send(task, staff.userid)

        world.at(world.clock.now() + after, confirm)

    def _send(self, task: Task, userid: str) -> None:
        now = self._world.clock.now()
        task.confirmed[userid] = now
        for target in task.targets[userid]:
            status = self._reaches(task, userid, target, now)
            if status is None:
                continue
            task.results[userid, target] = Result(status, now)
            if status == ARRIVED:
                self.got.setdefault(target, []).append(now)
        sent = sum(sender == userid for sender, _ in task.results)
        name = self._world.staff[userid].name
        self._world.tell(name, f"在群发助手确认发送（{sent} 个）：{task.text.split(chr(10), 1)[0]}", userid=userid)

    def _reaches(self, task: Task, userid: str, target: str, now: datetime) -> int | None:
        """None: nothing goes out, and nothing is written of it (the group is not the sender's any more)."""
        if task.chat_type == "group":
            group = self._world.groups[target]
            if group.dismissed or group.owner != userid:
                return None
        elif userid not in self._world.customers[target].follows:
            return NO_FRIEND
        return CAPPED if self.is_capped(target, now) else ARRIVED

    def is_capped(self, target: str, now: datetime) -> bool:
        """Whether it has had all it may get: a month's days a month, and what the corp has tightened (page 92135)."""
        limits, got = self._world.limits, self.got.get(target, [])
        today = _beijing(now)
        next_month = (today.replace(day=28) + timedelta(days=4)).replace(day=1)
        month_days = (next_month - timedelta(days=1)).day
        days = [_beijing(at) for at in reversed(got[-month_days:])]
        this_month = sum((day.year, day.month) == (today.year, today.month) for day in days)
        this_week = sum(day.isocalendar()[:2] == today.isocalendar()[:2] for day in days)
        this_day = sum(day.date() == today.date() for day in days)
        return (
            this_month >= month_days
            or this_week >= (limits.group_messages_a_week or month_days)
            or this_day >= (limits.group_messages_a_day or month_days)
        )

    # --- what the API tells -------------------------------------------------------------------------------------------

    def listed(self, chat_type: ChatType, start: datetime, end: datetime) -> list[Task]:
        """What was made in that time, the newest first, as far as the list knows it."""
        now = self._world.clock.now()
        found = [
            task
            for task in self.tasks.values()
            if task.chat_type == chat_type and start <= task.at <= end and task.readable_at <= now
        ]
        return found[::-1]

    def rows(self, task: Task, userid: str) -> Iterator[dict[str, Any]]:
        """The send results of one sender. Of groups nobody was sent to there is none, unless `lists_unsent` [NV]."""
        key = "chat_id" if task.chat_type == "group" else "external_userid"
        for target in task.targets.get(userid, ()):
            result = task.results.get((userid, target))
            if result is not None:
                yield {
                    key: target,
                    "userid": userid,
                    "status": result.status,
                    "send_time": int(result.at.timestamp()),
                }
            elif task.chat_type == "single" or self.lists_unsent:
                yield {key: target, "userid": userid, "status": UNSENT}

    def doubled(self) -> Counter[tuple[str, str, str]]:
        """(target, text, day): what reached somebody more than once on a day of Beijing."""
        count: Counter[tuple[str, str, str]] = Counter()
        for task in self.tasks.values():
            for target in task.arrived:
                count[target, task.text, f"{_beijing(task.at):%Y-%m-%d}"] += 1
        return Counter({key: times for key, times in count.items() if times > 1})


@dataclass(frozen=True)
class Media:
    """A temporary file: good for three days (page 90253)."""

    media_id: str
    kind: str
    name: str
    size: int
    at: datetime


MEDIA_LIFE = timedelta(days=3)


def keep_media(world: "World", kind: str, name: str, size: int) -> Media:
    """A file is uploaded."""
    made = Media(world.new_id("media", 64), kind, name, size, world.clock.now())
    world.group_messages.media[made.media_id] = made
    return made


def is_good(world: "World", media_id: object, kind: str) -> bool:
    """Whether this is a file of that kind that still lives."""
    found: Mapping[str, Media] = world.group_messages.media
    media = found.get(media_id) if isinstance(media_id, str) else None
    return media is not None and media.kind == kind and world.clock.now() - media.at < MEDIA_LIFE


def _beijing(at: datetime) -> datetime:
    return at + timedelta(hours=8)
