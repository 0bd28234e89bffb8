"""The morning: who comes into the groups, what the bot asks, what people do about it, and whether it kept its word."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

from bot.demo.stage import Kept, Stage
from simulator import Customer, World
from store import inbox, roster

NEVER = timedelta.max


async def morning(stage: Stage, also: Callable[[World], None] | None = None) -> None:
    """The story: who comes, what the bot asks, and what people do about it. `also`: prepares what is told later."""
    world = stage.world
    world.add_staff("lihua", "李华")
    world.add_staff("wangwu", "王五").does("removes_and_presses", after=timedelta(seconds=40))
    world.add_staff("zhaoliu", "赵六").does("removes_without_pressing", ignores_first=1, after=timedelta(minutes=2))
    world.add_staff("sunqi", "孙七").does("ignores")
    regulars = [world.add_customer(name) for name in ("林小满", "陈阿姨", "周先生", "吴姐", "郑老师", "何小姐")]
    tea = world.create_group("静安茶友1群", owner="wangwu", members=regulars[:3])
    wine = world.create_group("静安品鉴2群", owner="zhaoliu", members=regulars[2:])
    xuhui = world.create_group("徐汇会员群", owner="sunqi", members=regulars[:2])
    if also is not None:
        also(world)

    await stage.scene("一、群管家上岗：验证回调地址，读一遍名单")
    if not await world.verify_url():
        raise RuntimeError("the bot did not answer the verification of its callback address")
    await stage.bot.read_roster("start")
    await stage.run(timedelta(minutes=5))

    await stage.scene("二、两位顾客在同一秒扫码进群：是微信用户，谁也不打扰")
    world.join(tea, world.add_customer("杨柳"))
    world.join(tea, world.add_customer("徐大爷"))
    await stage.run(timedelta(minutes=5))

    await stage.scene("三、对手公司的人走进群里：几秒内群主收到卡片；移出以后，名单说了才算")
    await _enters(stage, tea.chat_id, world.add_rival("张三", "对手茶业有限公司"))
    await stage.run(timedelta(minutes=5))

    await stage.scene("四、两个一起来，合成一张卡片；群主忘了，十分钟后提醒一次；他移出后没按按钮，一样结案")
    first, second = world.add_rival("钱多多", "对手酒业有限公司"), world.add_rival("孙小美", "对手酒业有限公司")
    world.join(wine, first)
    await _enters(stage, wine.chat_id, second)
    await stage.run(timedelta(minutes=15))

    await stage.scene("五、合作伙伴的人（在允许名单里，同事加过好友）：放过")
    partner = world.add_rival("刘经理", "合作伙伴有限公司")
    world.make_contact("wangwu", partner)
    await stage.run(timedelta(minutes=1))
    world.join(tea, partner)
    await stage.run(timedelta(minutes=5))

    await stage.scene("六、认错了：群主按「误判，放行」，以后不再问这个人")
    world.staff["wangwu"].does("says_mistake", after=timedelta(seconds=30))
    friend = world.add_rival("老同学阿亮", "隔壁花店")
    await _enters(stage, tea.chat_id, friend)
    await stage.run(timedelta(minutes=5))
    world.leave(tea, friend)
    world.join(tea, friend)
    await stage.run(timedelta(minutes=5))

    await stage.scene("七、没人理的卡片：提醒一次，一小时后告诉负责人李华；她打了个电话，事情办了")
    pushy = world.add_rival("周卖货", "对手茶业有限公司")
    await _enters(stage, xuhui.chat_id, pushy)
    await stage.run(timedelta(minutes=70))
    world.remove(xuhui, pushy, by="sunqi")
    await stage.run(timedelta(minutes=5))


async def _enters(stage: Stage, chat_id: str, rival: Customer) -> None:
    """Somebody enters; note how long it takes until a card about them is there."""
    at, before = stage.clock.now(), len(stage.world.sent)
    stage.world.join(chat_id, rival)
    await stage.run(timedelta(seconds=30))
    cards = [each for each in stage.world.sent[before:] if each.kind == "card"]
    stage.asked.append((rival.name, cards[0].at - at if cards else NEVER))


async def check_promises(stage: Stage) -> list[Kept]:
    """What the bot is held to, looked at from outside: the world's truth against the bot's tables."""
    world, bot = stage.world, stage.bot
    async with bot.store.read() as tx:
        worked = await inbox.finished_callbacks(tx)
        rosters = {
            group.chat_id: frozenset(await roster.present(tx, group.chat_id)) for group in await roster.groups(tx)
        }
    truth = {chat_id: world.group_now(chat_id).external_ids for chat_id in world.groups}
    deliveries, once = len(world.acknowledged), len({each.xml for each in world.acknowledged})
    cards = [each for each in world.sent if (each.task_id or "").startswith("removal")]
    per_task = Counter((each.userid, each.task_id) for each in cards)
    named = {person.name for person in world.customers.values() for card in cards if person.name in card.text}
    rivals = {
        person.name for person in world.customers.values() if person.type == 2 and person.company != "合作伙伴有限公司"
    }
    open_cards = [
        each for userid in world.staff for each in world.inbox(userid) if each.kind == "card" and each.buttons
    ]
    slowest = max((span for _, span in stage.asked), default=NEVER)
    how_fast = "有人进来，谁也没有收到卡片" if slowest == NEVER else f"最慢 {slowest.total_seconds():.0f} 秒"
    return [
        Kept("应答过的回调，一个不漏都办了", worked == once, f"收到 {once} 个，办完 {worked} 个"),
        Kept(
            "同一个回调送来几次，只生效一次",
            max(per_task.values(), default=0) == 1 and deliveries > once,
            f"送来 {deliveries} 次，其实是 {once} 个；卡片 {len(cards)} 张，没有重复的",
        ),
        Kept("外人进群，几秒内有人收到卡片", slowest <= timedelta(seconds=5), how_fast),
        Kept(
            "只请移出外人：顾客、同事、允许的公司都不打扰",
            bool(named) and named <= rivals,
            f"请移出的是：{'、'.join(sorted(named))}",
        ),
        Kept("只凭名单结案，办完的卡片都收起了按钮", not open_cards, f"还开着按钮的卡片：{len(open_cards)} 张"),
        Kept(
            "机器人的名单与企业微信一致",
            rosters == truth,
            f"{len(truth)} 个群，{sum(map(len, truth.values()))} 位群成员",
        ),
    ]
