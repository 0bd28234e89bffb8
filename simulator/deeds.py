"""What somebody can do on `/phone`: one function for each form. Each answers what the page is to say of it."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from simulator.errors import ImpossibleError
from simulator.joins import Scanned

if TYPE_CHECKING:
    from simulator.world import Person, World

Form = Mapping[str, str]
Deed = Callable[["World", "Person", Form], str]


def _press(world: "World", who: "Person", form: Form) -> str:
    choice, question = form.get("choice"), form.get("question")
    selected = {question: [choice]} if question and choice else None
    world.press(who.id, form["task_id"], form["key"], selected)
    return "已点按钮，等机器人更新卡片"


def _say(world: "World", who: "Person", form: Form) -> str:
    text = form.get("text", "").strip()
    if not text:
        raise ImpossibleError("什么也没写")
    world.says(who, form["chat_id"], text)
    return ""


# --- coming and going -------------------------------------------------------------------------------------------------


def _scan(world: "World", who: "Person", form: Form) -> str:
    """A code held before the phone, or pressed in a picture on a page."""
    return _what_came(world.scan(who, form.get("code", "")))


def _what_came(scanned: Scanned) -> str:
    if scanned.group is not None:
        return (
            f"已申请进群「{scanned.group.name}」，等群主确认" if scanned.asked else f"已进入群「{scanned.group.name}」"
        )
    name = scanned.staff.name if scanned.staff else ""
    return f"已请求加 {name} 为好友，等 TA 同意" if scanned.asked else f"已加 {name} 为好友"


def _invite(world: "World", who: "Person", form: Form) -> str:
    """A member brings somebody in, past all codes."""
    world.join(form["chat_id"], form["person"], invitor=who)
    return "已邀请进群"


def _leave(world: "World", who: "Person", form: Form) -> str:
    world.leave(form["chat_id"], who)
    return "已退出群"


def _add(world: "World", who: "Person", form: Form) -> str:
    """A customer and a member of staff become contacts."""
    world.make_contact(form["userid"], who.id)
    return f"已加 {world.staff[form['userid']].name} 为好友"


# --- staff ------------------------------------------------------------------------------------------------------------


def _remove(world: "World", who: "Person", form: Form) -> str:
    world.remove(form["chat_id"], form["person"], by=who.id)
    return f"已移出 {world.customers[form['person']].name}"


def _create(world: "World", who: "Person", form: Form) -> str:
    """工作台 → 客户群 → 创建一个客户群; or a chat among colleagues, which stays internal for ever."""
    name = form.get("name", "").strip()
    if not name:
        raise ImpossibleError("请填写群名")
    group = world.create_group(name, who.id, internal=form.get("kind") == "internal")
    return f"建好了{'内部群' if group.internal else '客户群'}「{name}」"


def _confirms(world: "World", who: "Person", form: Form) -> str:
    """群聊邀请确认, on or off."""
    group = world.groups[form["chat_id"]]
    if who.id not in group.removers:
        raise ImpossibleError("只有群主和群管理员可以改")
    group.confirms = form.get("on") == "1"
    return "已打开群聊邀请确认" if group.confirms else "已关闭群聊邀请确认"


def _approve(world: "World", who: "Person", form: Form) -> str:
    """Let in somebody who waits for it."""
    for each in world.joins.asking:
        if (each.chat_id, each.person) == (form["chat_id"], form["person"]):
            world.joins.approve(each, by=who.id)
            return f"已同意 {world.customers[each.person].name} 进群"
    raise ImpossibleError("已经处理过了")


def _accept(world: "World", who: "Person", form: Form) -> str:
    """Accept somebody as a contact."""
    for each in world.joins.friends:
        if (each.userid, each.person) == (who.id, form["person"]):
            world.joins.accept(each)
            return f"已通过 {world.customers[each.person].name} 的好友申请"
    raise ImpossibleError("已经处理过了")


def _dismiss(world: "World", who: "Person", form: Form) -> str:
    group = world.groups[form["chat_id"]]
    if who.id != group.owner:
        raise ImpossibleError("只有群主可以解散群")
    world.dismiss(group)
    return f"已解散群「{group.name}」"


def _attach(world: "World", who: "Person", form: Form) -> str:
    """The owner chooses the group's welcome."""
    world.welcomes.attach(world.groups[form["chat_id"]], form.get("template", ""), by=who.id)
    return "已设置入群欢迎语"


def _confirm_send(world: "World", who: "Person", form: Form) -> str:
    """A sender presses 发送 in 群发助手."""
    task = world.group_messages.confirm(who.id, form["msgid"])
    return f"已发送，{len(task.arrived)} 个收到"


DEEDS: Mapping[str, Deed] = {
    "press": _press,
    "remove": _remove,
    "join": _scan,
    "scan": _scan,
    "invite": _invite,
    "leave": _leave,
    "add": _add,
    "attach": _attach,
    "confirm": _confirm_send,
    "say": _say,
    "create": _create,
    "confirms": _confirms,
    "approve": _approve,
    "accept": _accept,
    "dismiss": _dismiss,
}
