"""A merchant account of WeChat Pay v2: cash red packets by `sendredpack`, asked about by `gethbinfo`.

What is documented is enforced: one effect per `mch_billno`, the limits per person, second and day, the purse, refunds
after 24 hours. What goes wrong is rolled by rate and seed (`PayFaults`). The wire is in simulator/api/pay.py.
"""

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Literal

from simulator.schedule import Deed

if TYPE_CHECKING:
    from simulator.world import World

Status = Literal["SENDING", "SENT", "FAILED", "RECEIVED", "RFUND_ING", "REFUND"]
REFUNDED_AFTER = timedelta(hours=24)
LISTED_FOR = timedelta(days=30)
PACKETS_A_DAY, FEN_A_DAY = 10, 100_000
FEN_A_DAY_OF_MERCHANT = 100_000_000
A_SECOND = 30
LEAST, MOST, MOST_WITHOUT_SCENE = 100, 49_900, 20_000


@dataclass
class PayFaults:
    """Rates from 0.0 to 1.0, one roll per call. The first line is of the wire: the connection is cut or the answer held
    for `stall_by`, before or after the effect; a 502; a 200 that cannot be parsed.

    `system_error`, `processing`, `unlisted` (a code that no document has): each without, or `…_after_effect`,
    with it. `freq_limit`, `send_failed` (this number is spent), `no_auth` (risk control: a query says SENDING for a
    day, then FAILED). `fails_later`: accepted, FAILED minutes later. `slow_to_know`: a query says NOT_FOUND though it
    is there. `query_error`: SYSTEMERROR to a query.
    """

    cut: float = 0.0
    cut_after_effect: float = 0.0
    stall: float = 0.0
    stall_after_effect: float = 0.0
    error_5xx: float = 0.0
    error_5xx_after_effect: float = 0.0
    garbled: float = 0.0
    garbled_after_effect: float = 0.0
    system_error: float = 0.0
    system_error_after_effect: float = 0.0
    processing_after_effect: float = 0.0
    unlisted: float = 0.0
    unlisted_after_effect: float = 0.0
    freq_limit: float = 0.0
    send_failed: float = 0.0
    no_auth: float = 0.0
    fails_later: float = 0.0
    slow_to_know: float = 0.0
    query_error: float = 0.0
    stall_by: timedelta = timedelta(seconds=5)
    injected: Counter[str] = field(default_factory=Counter)

    def stop(self) -> None:
        """From now on nothing goes wrong any more."""
        for each in fields(self):
            if each.type is float:
                setattr(self, each.name, 0.0)


@dataclass
class Packet:
    """One red packet. `said`: its parameters, without nonce and signature. `taken_at`: the money left the purse."""

    number: str
    said: dict[str, str]
    status: Status
    taken_at: datetime | None = None
    received_at: datetime | None = None
    refunded_at: datetime | None = None
    reason: str = ""

    @property
    def openid(self) -> str:
        return self.said["re_openid"]

    @property
    def fen(self) -> int:
        return int(self.said["total_amount"])

    @property
    def is_paid(self) -> bool:
        """Whether the money is out of the purse, with the person or on its way."""
        return self.taken_at is not None and self.refunded_at is None and self.status != "FAILED"


@dataclass
class Day:
    """What one person, or everybody, was sent on one day."""

    packets: int = 0
    fen: int = 0


class Refused(Exception):  # noqa: N818  # says what happened
    """The answer is FAIL with this `err_code`."""

    def __init__(self, code: str, text: str = "") -> None:
        self.code, self.text = code, text
        super().__init__(code)


class Merchant:
    """`purse` in fen. `barred`: openids that risk control lets nobody pay. `opens`: how likely somebody opens a packet,
    within `opens_within`; what nobody opens is refunded. `a_second`: calls that are let through within one second of
    the world's clock. `packets`: by number; `sends`: how often each number was sent.
    """

    def __init__(
        self,
        world: "World",
        *,
        mch_id: str = "1900000109",
        app_id: str = "wx0123456789abcdef",
        api_key: str = "simulated-pay-api-key-32-letters",
        purse: int = 100_000_00,
    ) -> None:
        self._world = world
        self.mch_id, self.app_id, self.api_key = mch_id, app_id, api_key
        self.purse = purse
        self.faults = PayFaults()
        self.signs_with, self.a_second = api_key, A_SECOND
        self.certificate_ok = True
        self.barred: set[str] = set()
        self.opens, self.opens_within = 0.8, timedelta(hours=20)
        self.packets: dict[str, Packet] = {}
        self.sends: Counter[str] = Counter()
        self.answers: Counter[tuple[str, str]] = Counter()
        self._dice: dict[str, Random] = {}
        self._second: tuple[int, int] = (0, 0)
        self._days: defaultdict[tuple[int, str], Day] = defaultdict(Day)

    # --- what to look at ----------------------------------------------------------------------------------------------

    def paid(self) -> int:
        """Fen that are with people or on their way to them."""
        return sum(each.fen for each in self.packets.values() if each.is_paid)

    def paid_to(self, openid: str) -> list[Packet]:
        """The packets that this person has got, or is getting."""
        return [each for each in self.packets.values() if each.openid == openid and each.is_paid]

    def strikes(self, kind: str) -> bool:
        """Whether a fault of this kind happens now."""
        rate: float = getattr(self.faults, kind)
        if rate <= 0 or self._die(kind).random() >= rate:
            return False
        self.faults.injected[kind] += 1
        return True

    def _die(self, name: str) -> Random:
        if name not in self._dice:
            self._dice[name] = Random(f"{self._world.seed}|pay|{name}")
        return self._dice[name]

    # --- sendredpack --------------------------------------------------------------------------------------------------

    def send(self, said: Mapping[str, str]) -> Packet:
        """One call. Raises Refused; then, too, a query may know of the number."""
        number = said["mch_billno"]
        self.sends[number] += 1
        self._count_second()
        asked = {name: value for name, value in said.items() if name not in ("nonce_str", "sign")}
        known = self.packets.get(number)
        if known is not None and known.said != asked:
            raise Refused("FATAL_ERROR", "两次请求参数不一致")
        if known is not None and known.taken_at is not None and known.status != "FAILED":
            return known
        if known is not None and known.status == "FAILED":
            raise Refused("SEND_FAILED", "红包发放失败，请更换单号再重试")
        if self.strikes("freq_limit"):
            raise Refused("FREQ_LIMIT", "超过频率限制，请稍后再试")
        return self._take(known or self._noted(number, asked))

    def _noted(self, number: str, asked: dict[str, str]) -> Packet:
        self.packets[number] = Packet(number, asked, "SENDING")
        return self.packets[number]

    def _take(self, packet: Packet) -> Packet:
        """Raises Refused: the packet is then kept as SENDING (facts/money.md §2.5), and the number may come again."""
        if packet.openid in self.barred or self.strikes("no_auth"):
            self.barred.add(packet.openid)
            self._later(timedelta(hours=24), lambda: self._fail(packet, "风险拦截"))
            raise Refused("NO_AUTH", "发放失败，此请求可能存在风险，已被微信拦截")
        if self.strikes("send_failed"):
            packet.status = "FAILED"
            raise Refused("SEND_FAILED", "红包发放失败，请更换单号再重试")
        self._keep_limits(packet)
        self.purse -= packet.fen
        packet.taken_at, packet.status = self._world.clock.now(), "SENDING"
        if self.strikes("fails_later"):
            self._later(timedelta(minutes=2), lambda: self._fail(packet, "发放失败"))
            return packet
        self._later(timedelta(seconds=2), lambda: self._arrive(packet))
        self._later(REFUNDED_AFTER, lambda: self._take_back(packet))
        if self._luck(packet, "opens") < self.opens:
            self._later(self._luck(packet, "when") * self.opens_within, lambda: self.open(packet.number))
        return packet

    def _keep_limits(self, packet: Packet) -> None:
        today = int(self._world.clock.now().timestamp() + 8 * 3600) // 86_400  # days turn in Shanghai
        theirs = self._days[today, packet.openid]
        if theirs.packets >= PACKETS_A_DAY:
            raise Refused("SENDNUM_LIMIT", "该用户今日领取红包个数超过限制")
        if theirs.fen + packet.fen > FEN_A_DAY:
            raise Refused("RCVDAMOUNT_LIMIT", "该用户今日领取金额超过限制")
        if self._days[today, ""].fen + packet.fen > FEN_A_DAY_OF_MERCHANT:
            raise Refused("SENDAMOUNT_LIMIT", "您的商户号今日发放金额超过限制")
        if self.purse < packet.fen:
            raise Refused("NOTENOUGH", "账号余额不足，请充值后再用原单号重试")
        for day in (theirs, self._days[today, ""]):
            day.packets, day.fen = day.packets + 1, day.fen + packet.fen

    def _count_second(self) -> None:
        """30 a second, of the world's clock."""
        second = int(self._world.clock.now().timestamp())
        so_far = self._second[1] if self._second[0] == second else 0
        if so_far >= self.a_second:
            raise Refused("SECOND_OVER_LIMITED", "企业红包的按秒发放受限")
        self._second = (second, so_far + 1)

    # --- what becomes of a packet -------------------------------------------------------------------------------------

    def open(self, number: str) -> None:
        """The person opens it, if it is there to be opened."""
        packet = self.packets[number]
        if packet.status in ("SENDING", "SENT") and packet.taken_at is not None:
            packet.status, packet.received_at = "RECEIVED", self._world.clock.now()

    def _arrive(self, packet: Packet) -> None:
        if packet.status == "SENDING":
            packet.status = "SENT"

    def _fail(self, packet: Packet, reason: str) -> None:
        if packet.status in ("SENDING", "SENT"):
            if packet.taken_at is not None:
                self.purse += packet.fen
            packet.status, packet.reason = "FAILED", reason

    def _take_back(self, packet: Packet) -> None:
        if packet.status in ("SENDING", "SENT"):
            packet.status = "RFUND_ING"
            self._later(timedelta(minutes=30), lambda: self._refund(packet))

    def _refund(self, packet: Packet) -> None:
        packet.status, packet.refunded_at = "REFUND", self._world.clock.now()
        self.purse += packet.fen

    # --- gethbinfo ----------------------------------------------------------------------------------------------------

    def query(self, number: str) -> Packet:
        """What is known of a number; for 30 days. Raises Refused."""
        if self.strikes("query_error"):
            raise Refused("SYSTEMERROR", "请求已受理，请稍后使用原单号查询")
        packet = self.packets.get(number)
        now = self._world.clock.now()
        old = packet is not None and packet.taken_at is not None and now - packet.taken_at > LISTED_FOR
        if packet is None or old or (packet.taken_at is not None and self.strikes("slow_to_know")):
            raise Refused("NOT_FOUND", "指定单号数据不存在")
        return packet

    # --- odds and ends ------------------------------------------------------------------------------------------------

    def _later(self, after: timedelta, deed: Deed) -> None:
        self._world.schedule.plan(self._world.clock.now() + after, deed)

    def _luck(self, packet: Packet, what: str) -> float:
        """0.0 to 1.0, the same for the same packet in whatever order packets come."""
        digest = hashlib.sha256(f"{self._world.seed}|{what}|{packet.number}".encode()).digest()
        return int.from_bytes(digest[:6], "big") / 2**48


def wrong_with(said: Mapping[str, str], merchant: Merchant) -> Refused | None:
    """What the documents do not allow of a `sendredpack`, in the order in which it is looked at."""
    if said.get("mch_id") != merchant.mch_id:
        return Refused("PARAM_ERROR", "mch_id")
    if said.get("wxappid") != merchant.app_id:
        return Refused("ILLEGAL_APPID", "非法appid")
    if not re.fullmatch(r"[0-9A-Za-z]{1,28}", said.get("mch_billno", "")):
        return Refused("PARAM_ERROR", "mch_billno")
    if not re.fullmatch(r"o[0-9A-Za-z_-]{5,31}", said.get("re_openid", "")):
        return Refused("OPENID_ERROR", "openid和appid不匹配")
    texts = {"send_name": 32, "act_name": 32, "wishing": 128, "remark": 256, "client_ip": 15, "nonce_str": 32}
    for name, most in texts.items():
        if not said.get(name) or len(said[name]) > most:
            return Refused("PARAM_ERROR", name)
    amount = said.get("total_amount", "")
    highest = MOST if said.get("scene_id") else MOST_WITHOUT_SCENE
    if said.get("total_num") != "1" or not amount.isdigit() or not LEAST <= int(amount) <= highest:
        return Refused("PARAM_ERROR", "total_amount")
    return None
