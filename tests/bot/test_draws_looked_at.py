"""What `steward status` and `steward doctor` say of draws."""

from io import StringIO

from rich.console import Console
from sqlalchemy import update

from bot.doctor import draws as doctor
from bot.status import draws as status
from store import ledger
from store.columns import table_of
from store.database import Database
from tests.handlers.fair import DAY, FRIDAY, HOUR, Fair, book_with, entered, names, settings


async def _fair(db: Database) -> Fair:
    fair = Fair(db, book_with(settings()))
    await fair.open(people=names(3))
    return fair


async def _status(fair: Fair) -> str:
    out = StringIO()
    async with fair.db.read() as tx:
        status.show(Console(file=out, width=120), await status.look(tx), fair.now)
    return out.getvalue()


async def _doctor(fair: Fair) -> list[tuple[str, str]]:
    async with fair.db.read() as tx:
        return [(each.state, each.text) for each in await doctor.examine(tx, fair.now)]


async def test_status_tells_what_comes_next(sqlite_db: Database) -> None:
    """Nothing where there is no draw; then when it opens, closes, how many take part, and how many prizes wait."""
    fair = await _fair(sqlite_db)
    assert await _status(fair) == ""
    await fair.calendar()
    assert "2026-11-26 20:00 开始，占用预算 15元" in await _status(fair)
    await entered(fair, names(3))
    assert "2026-11-27 20:00 截止，3 人参加，占用预算 15元" in await _status(fair)
    await fair.until(FRIDAY)
    assert "3 人参加，3 份还没领" in await _status(fair)
    await fair.until(FRIDAY + 5 * DAY)
    assert await _status(fair) == ""


async def test_a_step_that_was_missed_is_found(sqlite_db: Database) -> None:
    """An hour after the list should have been closed nothing has happened: status shows it, the doctor says why."""
    fair = await _fair(sqlite_db)
    assert await _doctor(fair) == []
    await fair.calendar()
    assert await _doctor(fair) == [("ok", "1 期在办，都在时间上，账对得上")]
    await fair.until(FRIDAY - HOUR)
    fair.now = FRIDAY + HOUR
    [(state, text)] = await _doctor(fair)
    assert (state, text) == ("wrong", "「friday」应当 11月27日（周五）20:00 截止，过了1小时还没有")
    assert "已经过了" in await _status(fair)


async def test_books_that_do_not_add_up_are_found(sqlite_db: Database) -> None:
    """Somebody wrote past the ledger: the doctor says so, and to stop."""
    fair = await _fair(sqlite_db)
    await fair.calendar()
    async with fair.db.write() as tx:
        purses = table_of(ledger.PurseRow)
        await (await tx.connection()).execute(update(purses).values(held=purses.c.held + 1))
    async with fair.db.read() as tx:
        assert await ledger.out_of_step(tx)
    found = await _doctor(fair)
    assert found[0][0] == "wrong"
    assert "对不上" in found[0][1]
