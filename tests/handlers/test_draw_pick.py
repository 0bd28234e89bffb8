"""The list is closed, the pick proves itself, and whoever may not win any more is passed over."""

from datetime import timedelta

import pytest

from rules.draw_proof import verify
from store import blocks, ledger
from store import payouts as payout_rows
from tests.handlers.fair import DAY, FIXED, FRIDAY, HOUR, MP, OpenFair, entered, names


async def test_winners_follow_from_the_seed_and_the_list(fair_with: OpenFair) -> None:
    """Three of 30 win; the published file proves it; the seed is not in it before."""
    fair = await fair_with(people=names(30))
    await entered(fair, names(30))
    await fair.until(FRIDAY - timedelta(seconds=1))
    with pytest.raises(LookupError):
        await fair.proof()
    await fair.until(FRIDAY)
    row = await fair.draw()
    assert (row.state, row.entrants) == ("drawn", 30)
    proof = await fair.proof()
    assert all(each.ok for each in verify(proof.model_dump()))
    assert [each.ticket for each in await fair.winners()] == [each.ticket for each in proof.winners]
    assert len(proof.alternates) == 20
    changed = proof.model_dump()
    changed["winners"][0]["ticket"], changed["winners"][1]["ticket"] = (
        changed["winners"][1]["ticket"],
        changed["winners"][0]["ticket"],
    )
    assert "winners[0].ticket" in [each.place for each in verify(changed) if not each.ok]


async def test_who_left_between_the_list_and_the_draw_is_passed_over(fair_with: OpenFair) -> None:
    """Eligibility is looked at again at the draw: the next one on the list has the share, and the proof says why."""
    fair = await fair_with({"close_before": "2小时"}, people=names(10))
    await entered(fair, names(10))
    await fair.until(FRIDAY - HOUR)
    frozen = (await fair.draw()).entrants_hash
    for who in names(10)[:5]:
        await fair.leave(who)
    await fair.until(FRIDAY)
    winners = await fair.live()
    assert len(winners) == 3
    assert not set(winners) & set(names(10)[:5])
    row = await fair.draw()
    assert row.entrants_hash == frozen
    proof = await fair.proof()
    assert all(each.ok for each in verify(proof.model_dump()))
    assert {each.because for each in proof.redraws} <= {"您不在活动的群里"}


async def test_fewer_people_than_shares(fair_with: OpenFair) -> None:
    """One entrant for three shares: one wins, two shares go back to the budget at once."""
    fair = await fair_with(people=names(1))
    await entered(fair, names(1))
    await fair.until(FRIDAY)
    assert await fair.live() == ["wm0"]
    assert await fair.month() == ledger.Month(budget=500_000, free=499_500, held=500, paid=0)


async def test_nobody_came(fair_with: OpenFair) -> None:
    """Without entrants the draw closes, all money goes back, and the file proves that, too."""
    fair = await fair_with()
    await fair.until(FRIDAY + HOUR)
    assert (await fair.draw()).state == "closed"
    assert (await fair.month()).free == 500_000
    assert all(each.ok for each in verify((await fair.proof()).model_dump()))


async def test_once_a_month(fair_with: OpenFair) -> None:
    """Whoever has won wins nothing else in that month; in the next month they may again."""
    fair = await fair_with({"when": "每天 20:00", "enter": "全员", "prize": {**FIXED, "shares": 2}}, people=names(4))
    for days in range(6):
        await fair.until(FRIDAY + days * DAY)
    by_month = dict[str, list[str]]()
    for row in await fair.all_draws():
        if row.state in ("drawn", "closed"):
            winners = await fair.winners(row.id)
            by_month.setdefault(row.month, []).extend(each.person for each in winners if each.state != "lapsed")
    assert set(by_month) == {"2026-11", "2026-12"}
    for persons in by_month.values():
        assert len(persons) == len(set(persons)) <= 4


async def test_two_on_the_list_that_turn_out_to_be_one_win_once(fair_with: OpenFair) -> None:
    """Two strangers are on the closed list; before the draw it turns out that they are one person: one share, the other
    goes on, and the proof says why.
    """
    fair = await fair_with({"close_before": "2小时", "prize": {**FIXED, "shares": 2}}, people=names(1))
    await fair.until(FRIDAY - 3 * HOUR)
    one, other = await fair.visitor(phone="phone-a"), await fair.visitor(phone="phone-b", appid=MP)
    assert [await fair.enter(each) for each in (one, other)] == ["", ""]
    await fair.until(FRIDAY - HOUR)
    assert (await fair.draw()).entrants == 2
    await fair.authorises(one, "phone-b")
    await fair.until(FRIDAY)
    assert len(await fair.live()) == 1
    assert all(each.ok for each in verify((await fair.proof()).model_dump()))
    assert (await fair.month()).held == 500


async def test_two_winners_that_turn_out_to_be_one_are_paid_once(fair_with: OpenFair) -> None:
    """It turns out after the draw: with the first claim the other share goes to the next one at once."""
    fair = await fair_with({"prize": {**FIXED, "shares": 2}}, people=names(3))
    await fair.until(FRIDAY - HOUR)
    one, other = await fair.visitor(phone="phone-a"), await fair.visitor(phone="phone-b", appid=MP)
    assert [await fair.enter(each) for each in (one, other)] == ["", ""]
    await fair.until(FRIDAY)
    assert len(await fair.live()) == 2
    await fair.authorises(one, "phone-b")
    await fair.visitor("wm1", phone="phone-a")
    assert await fair.claim(one) == ""
    assert await fair.claim(one) == ""
    assert await fair.live() == ["wm1"]
    async with fair.db.read() as tx:
        assert len(await payout_rows.of_draw(tx, 1)) == 1
    assert (await fair.month()).held == 500


async def test_a_stranger_who_is_known_by_the_draw_is_looked_at(fair_with: OpenFair) -> None:
    """Between the list and the draw it turns out who somebody is: on the blocklist, so the next one wins."""
    fair = await fair_with({"close_before": "2小时", "prize": {**FIXED, "shares": 1}}, people=("wmBad", "wmGood"))
    await fair.until(FRIDAY - 3 * HOUR)
    stranger = await fair.visitor(phone="phone-a")
    assert await fair.enter(stranger) == ""
    assert await fair.enter(await fair.visitor("wmGood")) == ""
    await fair.until(FRIDAY - HOUR)
    await fair.visitor("wmBad", phone="phone-a")
    async with fair.db.write() as tx:
        await blocks.put(tx, external_userid="wmBad", because="广告", by="lihua", now=fair.now)
    await fair.until(FRIDAY)
    assert await fair.live() == ["wmGood"]


async def test_down_from_before_the_close_until_after_the_draw(fair_with: OpenFair) -> None:
    """An hour late is within the draw's own rule: it is held with who had entered, and proves itself."""
    fair = await fair_with({"close_before": "30分钟"}, people=names(5))
    await entered(fair, names(5))
    fair.now = FRIDAY + HOUR
    for _ in range(3):
        await fair.step()
        fair.now += timedelta(minutes=2)
    row = await fair.draw()
    assert (row.state, row.entrants) == ("drawn", 5)
    assert all(each.ok for each in verify((await fair.proof()).model_dump()))
