"""Promise 7: nobody is asked to be removed who is staff, allowed, released, or proven to be a WeChat customer; and "not
a contact" (84061) proves nothing.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from shutil import copy

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as some
from sqlmodel import select

from rules.book import Book
from rules.events import MemberSeen
from rules.facts import Group, Member, MemberFacts, Person
from rules.other_company import OtherCompany
from simulator import Customer, Faults, ImpossibleError, Limits, VirtualClock, World
from simulator.habits import HabitName
from simulator.people import Staff
from store.removal import CaseRow
from tests.promises.conftest import AES_KEY, Street, everything, street, truth

# --- the rule, on all sorts of facts ----------------------------------------------------------------------------------

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
COMPANIES = ("合作伙伴有限公司", "合作伙伴", "对手茶业有限公司", "")
IDS = tuple(f"{prefix}{n}" for prefix in ("wo", "wm", "zz") for n in range(3))

rules = some.builds(
    OtherCompany,
    rule=some.just("other_company"),
    allow_companies=some.lists(some.sampled_from(COMPANIES[:2]), unique=True).map(tuple),
    allow_people=some.lists(some.sampled_from(IDS), unique=True, max_size=3).map(tuple),
    evidence=some.sampled_from(["strong", "certain"]),
    then=some.lists(some.sampled_from(["remove", "warn", "block", "observe"]), min_size=1).map(tuple),
)
facts = some.sampled_from(IDS).flatmap(
    lambda who: some.builds(
        MemberFacts,
        group=some.just(Group(chat_id="wr1", name="静安1群", kind="members", owner="wangwu")),
        subject=some.just(who),
        is_staff=some.booleans(),
        released=some.sampled_from([{}, {"other_company": "王五"}, {"another": "王五"}]),
        member=some.builds(
            Member, external_userid=some.just(who), name=some.just("某人"), unionid=some.sampled_from([None, "o1"])
        ),
        person=some.builds(
            Person,
            external_userid=some.just(who),
            account=some.sampled_from(["wechat", "wecom", "unknown"]),
            company=some.sampled_from(COMPANIES),
            company_full_name=some.sampled_from(COMPANIES),
        ),
        corp_gets_unionid=some.booleans(),
    )
)
occasions = some.sampled_from(["joined", "inside", "checked"])


def must_be_left_alone(rule: OtherCompany, facts: MemberFacts) -> bool:
    """In words of its own, what product.md and the promise say."""
    person = facts.person
    allowed = {person.company, person.company_full_name} & set(rule.allow_companies) - {""}
    is_wechat = person.account == "wechat" or (person.account == "unknown" and facts.member.unionid is not None)
    not_a_contact = person.account == "unknown"
    nothing_else_known = not_a_contact and person.external_userid.startswith("wm")
    return bool(
        facts.is_staff
        or "other_company" in facts.released
        or person.external_userid in rule.allow_people
        or allowed
        or is_wechat
        or nothing_else_known
    )


def seen(facts: MemberFacts, occasion: str = "joined") -> MemberSeen:
    who = facts.member.external_userid
    return MemberSeen.model_validate(
        {"at": NOON, "chat_id": facts.group.chat_id, "external_userid": who, "occasion": occasion}
    )


@settings(max_examples=500, deadline=None, database=None)
@given(rules, facts, occasions)
def test_the_rule_leaves_them_alone(rule: OtherCompany, facts: MemberFacts, occasion: str) -> None:
    """Whatever else is known, the rule asks nothing of anybody about people who must be left alone."""
    hit = rule.decide(seen(facts, occasion), facts).verdict == "hit"
    assert not (hit and must_be_left_alone(rule, facts))


@settings(max_examples=300, deadline=None, database=None)
@given(rules, facts)
@example(
    OtherCompany(rule="other_company"),
    MemberFacts(
        group=Group(chat_id="wr1", name="静安1群", kind="members", owner="wangwu"),
        subject="zz1",
        member=Member(external_userid="zz1"),
        person=Person(external_userid="zz1"),
    ),
)
def test_whoever_is_asked_about_there_is_a_sign(rule: OtherCompany, facts: MemberFacts) -> None:
    """Nobody is asked about for want of knowledge: there is a record, or an id, or a unionid that all others have."""
    decision = rule.decide(seen(facts), facts)
    if decision.verdict == "hit":
        who, person = facts.member, facts.person
        assert (
            person.account == "wecom"
            or who.external_userid.startswith("wo")
            or (facts.corp_gets_unionid and who.unionid is None and not who.external_userid.startswith("wm"))
        )
        assert decision.because


# --- whole lives ------------------------------------------------------------------------------------------------------

INVITED = re.compile(r"由 \S+ 邀请")  # names who brought somebody, and asks nothing about them
PARTNER = "合作伙伴有限公司"
HABITS: tuple[HabitName, ...] = (
    *("removes_and_presses", "removes_without_pressing", "presses_without_removing"),
    *("says_mistake", "says_later", "ignores"),
)


@dataclass
class Community:
    """A world with people of all sorts, who come, go, invite and are added, in an order that the seed decides."""

    world: World
    random: Random
    book: Book
    alone: list[Customer] = field(default_factory=list)
    colleagues: list[str] = field(default_factory=list)
    rivals: list[Customer] = field(default_factory=list)
    entered: set[str] = field(default_factory=set)

    def something_happens(self) -> None:
        """Somebody enters, leaves, is invited, is added, or the group changes hands. What cannot be is let be."""
        world, random = self.world, self.random
        chat_id = random.choice(list(world.groups))
        everybody: list[Customer | Staff] = [
            *self.alone,
            *self.rivals,
            *(world.staff[each] for each in self.colleagues),
        ]
        person = random.choice(everybody)
        inside = world.groups[chat_id].members
        try:
            match random.randrange(8):
                case 0 | 1 | 2:
                    world.join(chat_id, person)
                    self.entered.add(person.name)
                case 3:
                    world.join(chat_id, person, invitor=random.choice([*inside]))
                    self.entered.add(person.name)
                case 4:
                    world.leave(chat_id, person)
                case 5:
                    world.make_contact(random.choice(["wangwu", "zhaoliu"]), random.choice([*self.alone, *self.rivals]))
                case 6:
                    world.set_admins(chat_id, random.choice([[], ["lihua"]]))
                case 7:
                    world.change_owner(chat_id, random.choice(["wangwu", "zhaoliu"]))
        except ImpossibleError:
            return


def a_community(seed: int) -> Community:
    random = Random(seed)
    faults = Faults(
        **dict.fromkeys(("doubled", "reordered", "late", "answer_lost", "lagging_reads", "lost"), 0.15),  # type: ignore[arg-type]  # only rates
        **dict.fromkeys(("platform_busy", "error_5xx", "cut", "slow"), 0.03),  # type: ignore[arg-type]
    )
    gives_unionid = random.random() < 0.7
    world = World(clock=VirtualClock(), seed=seed, aes_key=AES_KEY, gives_unionid=gives_unionid, limits=Limits.none())
    world.add_staff("lihua", "李华")
    owners = [world.add_staff("wangwu", "王五"), world.add_staff("zhaoliu", "赵六")]
    for owner in owners:
        owner.does(*random.choices(HABITS, k=6), after=timedelta(seconds=30), spread=timedelta(minutes=5))
    # userids that look like ids of people outside
    colleagues = [world.add_staff(*each).userid for each in (("wolf", "沃尔夫"), ("wmlan", "蓝小兰"), ("wo_1", "欧一"))]
    customers = [world.add_customer(f"顾客{n:02}") for n in range(6)]
    on_wechat = [world.add_rival(f"微信{n:02}", "对手公司", on="wechat") for n in range(2)]
    allowed = [world.add_rival(f"放行{n:02}", "某公司") for n in range(2)]
    partners = [world.add_rival(f"伙伴{n:02}", PARTNER) for n in range(2)]
    rivals = [world.add_rival(f"对手{n:02}", "对手公司") for n in range(4)]
    for name, whose in (("静安群", "wangwu"), ("徐汇群", "zhaoliu")):
        world.create_group(name, owner=whose, members=customers[:2])
    for partner in partners:
        world.make_contact("wangwu", partner)
    world.faults = faults
    rule = {"rule": "other_company", "allow_companies": [PARTNER], "allow_people": [each.id for each in allowed]}
    book = Book.model_validate({"managers": ["李华"], "rules": [rule]})
    return Community(world, random, book, [*customers, *on_wechat, *allowed, *partners], colleagues, rivals)


@pytest.mark.parametrize("run", range(3))
async def test_in_a_whole_life(sqlite_url: str, seed: int, run: int) -> None:
    """In a random community with faults, no message ever names, and no case is ever opened about, a colleague, a
    customer, an allowed person or a partner; and nobody who was released is asked about again."""
    await live(sqlite_url, seed + run, steps=30)


@pytest.mark.soak
async def test_in_many_whole_lives(sqlite_template: Path, tmp_path: Path, seed: int) -> None:
    """The same in many communities, and for longer."""
    for run in range(20):
        copy(sqlite_template, tmp_path / f"{run}.db")
        await live(f"sqlite:///{tmp_path}/{run}.db", seed + 1000 + run, steps=60)


async def live(database_url: str, seed: int, steps: int) -> None:
    town = a_community(seed)
    world = town.world
    assert isinstance(world.clock, VirtualClock)
    async with street(world, world.clock, database_url, book=town.book) as life:
        await life.bots[0].read_roster("start")
        await life.run(timedelta(minutes=5))
        for _ in range(steps):
            town.something_happens()
            await life.run(timedelta(seconds=town.random.choice([0, 1, 5, 30, 300])))
        world.faults.stop()
        await life.run(timedelta(hours=1))
        await life.bots[0].read_roster("the end")
        await life.run(timedelta(minutes=10))
        assert await life.believed() == truth(world), f"seed {seed}"
        left_alone = [each.name for each in town.alone] + [world.staff[each].name for each in town.colleagues]
        texts = [INVITED.sub("", sent.text) for sent in world.sent]
        assert {name for text in texts for name in left_alone if name in text} == set(), f"seed {seed}"
        assert town.entered & set(left_alone), "somebody has to have entered who must be left alone"
        await released_people_are_left_alone(life)
        cases = (await everything(life.bots[0].store))["cases"]
        rivals = {each.id for each in town.rivals}
        assert {row[2] for row in cases} <= rivals, f"seed {seed}"
        asked = [sent for sent in world.sent if any(each.name in sent.text for each in town.rivals)]
        assert asked or not town.entered & {each.name for each in town.rivals}


async def released_people_are_left_alone(life: Street) -> None:
    async with life.bots[0].store.read() as tx:
        cases = (await tx.exec(select(CaseRow))).all()
    released = {case.external_userid: case.closed_at for case in cases if case.outcome == "released"}
    for case in cases:
        since = released.get(case.external_userid)
        assert since is None or case.opened_at <= since
    for who, since in released.items():
        name = life.world.customers[who].name
        assert since is not None
        assert not [each for each in life.world.sent if name in each.text and each.at > since + timedelta(minutes=1)]
