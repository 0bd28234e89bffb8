"""The brand's 公众号 tells a unionid of whoever has allowed it."""

from rules.facts import Member
from simulator import Customer
from store import identities, roster
from store.roster import GroupRow
from tests.bot.pages.house import House


async def on_the_roster(house: House, person: Customer) -> None:
    async with house.store.write() as tx:
        tx.add(GroupRow(chat_id="wr1", watched_since=house.clock.now()))
        await tx.flush()
        member = Member(external_userid=person.id, unionid=person.unionid, joined_at=house.clock.now())
        await roster.write_members(tx, "wr1", [member], announced=(), now=house.clock.now())


async def test_the_mp_names_who_allowed_it_before(house_with_mp: House) -> None:
    """Step (d): silently, in the same redirect; its unionid is found on the roster of a group."""
    anna = house_with_mp.world.add_customer("安娜")
    await on_the_roster(house_with_mp, anna)
    house_with_mp.world.logins._allowed.add(anna.id)
    phone = house_with_mp.phone(anna)
    said = await phone.who("/who/x")
    assert said["at"] == "/who/x"
    assert await house_with_mp.external_of(said["visitor"]) == anna.id
    assert len([url for url in phone.trail if "/login/back" in url]) == 2


async def test_the_mp_asks_upon_a_press_only(house_with_mp: House) -> None:
    """Who never allowed it is not asked by opening a page; after pressing, the page knows them."""
    anna = house_with_mp.world.add_customer("安娜")
    await on_the_roster(house_with_mp, anna)
    phone = house_with_mp.phone(anna)
    visitor = (await phone.who())["visitor"]
    assert await house_with_mp.external_of(visitor) is None
    house_with_mp.world.logins.refuse.add(anna.id)
    assert (await phone.who("/login/confirm?to=/who/y"))["at"] == "/who/y"
    assert await house_with_mp.external_of(visitor) is None
    house_with_mp.world.logins.refuse.clear()
    assert (await phone.who("/login/confirm?to=/who/y"))["visitor"] == visitor
    assert await house_with_mp.external_of(visitor) == anna.id


async def test_made_up_people_are_not_taken_for_real(house_with_mp: House) -> None:
    """On a snapshot page WeChat makes up an openid and a unionid: neither is kept (is_snapshotuser)."""
    anna = house_with_mp.world.add_customer("安娜")
    house_with_mp.world.logins.snapshots.add(anna.id)
    visitor = (await house_with_mp.phone(anna).who())["visitor"]
    assert isinstance(visitor, int)
    async with house_with_mp.store.read() as tx:
        assert [row.kind for row in await identities.proofs_of(tx, visitor)] == ["openid"]


async def test_contacts_are_not_sent_to_the_mp(house_with_mp: House) -> None:
    """Who is known to the roster already is sent nowhere else, and a 公众号 that fails keeps nobody from the page."""
    anna, bert = house_with_mp.world.add_customer("安娜"), house_with_mp.world.add_customer("伯特")
    house_with_mp.world.make_contact("wangwu", anna)
    phone = house_with_mp.phone(anna)
    await phone.who()
    assert len([url for url in phone.trail if "/login/back" in url]) == 1
    house_with_mp.world.logins.mp_secret = "changed"
    assert (await house_with_mp.phone(bert).who())["kind"] == "customer"
