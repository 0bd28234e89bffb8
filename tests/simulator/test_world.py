"""What people can and cannot do, the story, and that a seed gives the same world."""

from typing import TYPE_CHECKING

import pytest

from simulator import ImpossibleError, VirtualClock, World

if TYPE_CHECKING:
    from tests.simulator.conftest import Desk


def test_only_owner_and_admins_remove(desk: "Desk") -> None:
    """Others cannot, nobody can remove the owner, and a second removal finds nobody."""
    world = desk.world
    world.add_staff("zhaoliu", "赵六")
    group, person = world.create_group("一群", "lihua", ["wangwu"]), world.add_customer("陈晨")
    world.join(group, person)
    world.join(group, world.staff["zhaoliu"], invitor="lihua")
    with pytest.raises(ImpossibleError, match="只有群主"):
        world.remove(group, person, by="zhaoliu")
    with pytest.raises(ImpossibleError, match="群主不能"):
        world.remove(group, "lihua", by="wangwu")
    world.remove(group, person, by="wangwu")
    with pytest.raises(ImpossibleError, match="不在群里"):
        world.remove(group, person, by="wangwu")
    assert world.group_now(group.chat_id).staff_ids == {"lihua", "wangwu", "zhaoliu"}


def test_codes_stop_at_200_and_groups_at_500(desk: "Desk") -> None:
    """The 200th scans in, the 201st must be invited, the 501st cannot enter at all."""
    world = desk.world
    group = world.create_group("一群", "lihua")
    world.join_together(group, [world.add_customer("客") for _ in range(198)])
    world.join(group, world.add_customer("客"))
    with pytest.raises(ImpossibleError, match="200"):
        world.join(group, world.add_customer("客"))
    world.join_together(group, [world.add_customer("客") for _ in range(300)], invitor="lihua")
    with pytest.raises(ImpossibleError, match="500"):
        world.join(group, world.add_customer("客"), invitor="lihua")
    assert len(group.members) == 500


def test_nobody_enters_twice_or_a_group_that_is_gone(desk: "Desk") -> None:
    """ImpossibleError, and nothing changed."""
    world = desk.world
    group, person = world.create_group("一群", "lihua"), world.add_customer("陈晨")
    world.join(group, person)
    version = group.version
    with pytest.raises(ImpossibleError, match="已在群里"):
        world.join(group, person)
    assert group.version == version
    world.dismiss(group)
    with pytest.raises(ImpossibleError, match="解散"):
        world.join(group, world.add_customer("林琳"))
    assert world.group_now(group.chat_id).dismissed


def test_time_does_not_run_backwards() -> None:
    """A virtual clock refuses a time that has passed."""
    clock = VirtualClock()
    before = clock.now()
    clock.set(before.replace(hour=2))
    with pytest.raises(ValueError, match="backwards"):
        clock.set(before)


async def test_the_story_is_told(desk: "Desk") -> None:
    """Each act is a value with a time, an actor, a Chinese sentence and the ids."""
    group = desk.world.create_group("一群", "lihua")
    rival = desk.world.add_rival("孙强", "隔壁茶业")
    desk.world.join(group, rival, invitor="wangwu")
    told = desk.world.on_story[-1]
    assert (told.at, told.actor, told.text_zh) == (desk.clock.now(), "孙强@隔壁茶业", "由王五邀请进入群「一群」")
    assert told.data == {"chat_id": group.chat_id, "person": rival.id}


async def test_one_seed_one_world() -> None:
    """The same seed and deeds give the same ids and the same events; another seed gives others."""

    def life(seed: int) -> list[str]:
        world = World(clock=VirtualClock(), seed=seed)
        world.add_staff("lihua", "李华")
        group = world.create_group("一群", "lihua")
        people = [world.add_customer("陈晨"), world.add_rival("孙强", "隔壁茶业")]
        world.join_together(group, people)
        return [group.chat_id, group.version, *(each.id for each in people), world.tokens.issue()[0]]

    assert life(1) == life(1)
    assert not set(life(1)) & set(life(2))


async def test_a_planned_deed_is_done_in_its_time(desk: "Desk") -> None:
    """`at` plans, `next_due` tells when, `run_due` does it then."""
    group, person = desk.world.create_group("一群", "lihua"), desk.world.add_customer("陈晨")
    await desk.world.run_due()
    noon = desk.clock.now().replace(hour=4)
    desk.world.at(noon, lambda: desk.world.join(group, person))
    assert desk.world.next_due() == noon
    assert await desk.world.run_due() == 0
    desk.clock.set(noon)
    assert await desk.world.run_due() == 2  # the deed, and the callback that it brings
    assert desk.ear.kinds() == ["create", "add_member"]
