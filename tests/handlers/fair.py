"""Groups with people, a config with draws, and a clock that goes from step to step."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlmodel import select

from handlers import draw_entry, draws, identity, payout_books, prizes
from handlers.draw_pick import proof_of
from rules.book import Book
from rules.decision import Decision
from rules.draw_proof import DrawProof
from rules.events import DrawEntered, DrawsDue, DrawStepDue, PrizeClaimed, WinnerUnpayable
from rules.identity import Proof
from store import draw_winners, identities, ledger, pay_accounts
from store import draws as draw_rows
from store import payouts as payout_rows
from store.database import Database
from store.draws import DrawCalendarRow, DrawRow, EntrantRow, WinnerRow
from store.roster import GroupRow, MemberRow
from store.staff import StaffRow
from wecom.gateway import Gateway

FRIDAY = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)  # 20:00 in Beijing
WEDNESDAY = FRIDAY - timedelta(days=2)
LONG_AGO = FRIDAY - timedelta(days=400)
MP = "wxmp1"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)

FIXED = {"type": "固定", "amount": "5元", "shares": 3}


def settings(**more: Any) -> dict[str, Any]:
    """A draw that people sign up for, three times 5元 by WeChat Pay, as `more` says otherwise."""
    return {
        "name": "friday",
        "title": "周五抽奖",
        "to": "members",
        "when": "2026-11-27 20:00",
        "prize": FIXED,
        "pay_by": "微信支付",
        "organiser": "茶里有限公司",
        "contact": "021-12345678",
        **more,
    }


def book_with(*draws_: Mapping[str, Any], monthly: str = "5000元") -> Book:
    return Book.model_validate(
        {
            "managers": ["lihua"],
            "groups": {"members": "会员*"},
            "budget": {"monthly": monthly},
            "draws": list(draws_),
        }
    )


class Fair:
    """One database. `now` is the clock's; `book` the config in force."""

    def __init__(self, db: Database, book: Book) -> None:
        self.db, self.book, self.now = db, book, WEDNESDAY

    async def open(self, groups: int = 1, *, people: Sequence[str] = ()) -> None:
        """So many groups of members; these people are in the first since long ago. MP pays."""
        async with self.db.write() as tx:
            tx.add(StaffRow(userid="lihua", name="李华", seen_at=LONG_AGO))
            for number in range(groups):
                tx.add(
                    GroupRow(
                        chat_id=f"wr{number}",
                        name=f"会员{number}群",
                        kind="members",
                        owner="wangwu",
                        watched_since=LONG_AGO,
                        read_at=LONG_AGO,
                        created_at=LONG_AGO,
                    )
                )
            tx.add(DrawCalendarRow(id=1, due_at=self.now, config_id=0))
            await draw_rows.note_house(tx, secret="5" * 64, address="https://c.example.com", now=self.now)
            await pay_accounts.note_account(tx, "mch1", MP, now=self.now)
        await self.come(*people)

    async def come(self, *people: str, chat_id: str = "wr0", since: datetime = LONG_AGO) -> None:
        async with self.db.write() as tx:
            for who in people:
                tx.add(MemberRow(chat_id=chat_id, external_userid=who, name=f"名{who}", joined_at=since, seen_at=since))

    async def leave(self, who: str, chat_id: str = "wr0") -> None:
        async with self.db.write() as tx:
            member = await tx.get(MemberRow, (chat_id, who))
            assert member is not None
            member.left_at = self.now

    async def visitor(self, who: str = "", *, phone: str = "", appid: str = "corp") -> int:
        """Somebody opens the page: by the openid of their phone, and, once staff added them, by name."""
        proofs = [Proof(kind="openid", value=phone or f"o-{who}", appid=appid, evidence="oauth")]
        if who:
            proofs.append(Proof(kind="external_userid", value=who, evidence="oauth"))
        async with self.db.write() as tx:
            return (await identity.visitor_of(tx, proofs, now=self.now)).visitor_id

    async def authorises(self, visitor_id: int, openid: str) -> None:
        """They let the 公众号 know them."""
        async with self.db.write() as tx:
            proof = Proof(kind="openid", value=openid, appid=MP, evidence="same_login")
            await identity.bind(tx, visitor_id, proof, now=self.now)

    # --- what happens -------------------------------------------------------------------------------------------------

    async def calendar(self) -> None:
        async with self.db.write() as tx:
            await draws.handle(DrawsDue(at=self.now), {}, tx, self.book, self.now)

    async def until(self, moment: datetime, wecom: Gateway | None = None) -> None:
        """Every step that is due until then, at its time."""
        await self.calendar()
        for _ in range(1000):
            async with self.db.read() as tx:
                due = await draw_rows.next_due(tx)
            if due is None or due > moment:
                break
            self.now = max(self.now, due)
            await self.step(wecom)
        else:
            raise AssertionError("it never comes to rest")
        self.now = max(self.now, moment)

    async def hourly(self, moment: datetime) -> None:
        """Likewise, with a look at the calendar every few hours."""
        while self.now < moment:
            await self.until(min(moment, self.now + timedelta(hours=6)))

    async def step(self, wecom: Gateway | None = None) -> None:
        """The steps that are due now."""
        async with self.db.write() as tx:
            found = await draw_rows.raise_due(tx, now=self.now, again_at=self.now + timedelta(minutes=2))
        for each in found:
            event = DrawStepDue(at=self.now, draw_id=each.id)
            seen = await draws.look_up(event, wecom, self.db, self.now) if wecom else {}
            async with self.db.write() as tx:
                await draws.handle(event, seen, tx, self.book, self.now)

    async def enter(self, visitor_id: int, answer: str = "", draw_id: int = 1, **tags: tuple[str, ...]) -> str:
        """Why not; "" where they are in."""
        event = DrawEntered(at=self.now, draw_id=draw_id, visitor_id=visitor_id, answer=answer)
        async with self.db.write() as tx:
            return _why(await draw_entry.handle(event, draw_entry.Seen(tags), tx, self.book, self.now))

    async def claim(self, visitor_id: int, draw_id: int = 1, **tags: tuple[str, ...]) -> str:
        event = PrizeClaimed(at=self.now, draw_id=draw_id, visitor_id=visitor_id)
        async with self.db.write() as tx:
            return _why(await prizes.handle(event, tags, tx, self.book, self.now))

    async def unpayable(self, winner_id: int, draw_id: int = 1) -> None:
        event = WinnerUnpayable(at=self.now, draw_id=draw_id, winner_id=winner_id, because="NO_AUTH")
        async with self.db.write() as tx:
            await prizes.handle(event, {}, tx, self.book, self.now)

    async def paid(self) -> None:
        """WeChat Pay has paid everything that is on its way."""
        async with self.db.write() as tx:
            for row in await payout_rows.of_draw(tx, 1):
                if not row.is_over:
                    row.state, row.due_at, row.ended_at = "received", None, self.now
                    await payout_books.book_it(tx, row, now=self.now)
                    if row.winner_id:
                        await payout_rows.winner_is_paid(tx, row.winner_id, now=self.now)

    # --- what there is ------------------------------------------------------------------------------------------------

    async def draw(self, draw_id: int = 1) -> DrawRow:
        async with self.db.read() as tx:
            row = await draw_rows.draw(tx, draw_id)
            assert row is not None
            return row

    async def all_draws(self) -> list[DrawRow]:
        async with self.db.read() as tx:
            return await draw_rows.last(tx)

    async def entrants(self, draw_id: int = 1) -> dict[str, str]:
        """Person → why they are out."""
        async with self.db.read() as tx:
            rows = (await tx.exec(_select_entrants(draw_id))).all()
            return {row.person: row.out for row in rows}

    async def winners(self, draw_id: int = 1) -> list[WinnerRow]:
        async with self.db.read() as tx:
            return await draw_winners.of_draw(tx, draw_id)

    async def live(self, draw_id: int = 1) -> list[str]:
        return [row.person for row in await self.winners(draw_id) if row.state in draw_winners.LIVE]

    async def proof(self, draw_id: int = 1) -> DrawProof:
        async with self.db.read() as tx:
            row = await draw_rows.draw(tx, draw_id)
            assert row is not None
            return await proof_of(tx, row)

    async def month(self, name: str = "2026-11") -> ledger.Month:
        async with self.db.read() as tx:
            assert await ledger.out_of_step(tx) == []
            return await ledger.month(tx, name)

    async def visitor_of(self, who: str) -> int:
        async with self.db.read() as tx:
            found = await identities.visitor_with(tx, "external_userid", who)
            assert found is not None
            return found


OpenFair = Callable[..., Awaitable[Fair]]


def names(count: int) -> tuple[str, ...]:
    return tuple(f"wm{number}" for number in range(count))


async def entered(fair: Fair, people: Sequence[str]) -> dict[str, int]:
    """All of them sign up an hour after entry opens."""
    await fair.until(FRIDAY - DAY + HOUR)
    visitors = {who: await fair.visitor(who) for who in people}
    for who, visitor in visitors.items():
        assert await fair.enter(visitor) == "", who
    return visitors


def _why(decisions: list[Decision]) -> str:
    [decision] = decisions
    return decision.because if decision.verdict == "miss" else ""


def _select_entrants(draw_id: int) -> Any:

    return select(EntrantRow).where(EntrantRow.draw_id == draw_id)
