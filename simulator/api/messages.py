"""The app's messages to staff: message/send (page 90236) and message/update_template_card (pages 94888, 94945)."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Literal

from simulator.api.call import Call, Json, strings
from simulator.api.cards import check_card
from simulator.errors import ApiError
from simulator.world import World

MOST_TEXT = 2048  # bytes; the page says that longer texts are cut, 45002 exists for them: here they are refused [NV]
LONGEST_CHECK = 4 * 3600  # seconds


def message_send(world: World, call: Call) -> Json:
    _check_agent(world, call)
    kind, content = _content(world, call)
    valid, invalid = _receivers(world, call)
    if not valid:
        raise ApiError(81013)
    world.usage.count_people(len(valid))
    check = call.number("enable_duplicate_check", 0, 1, default=0)
    seconds = call.number("duplicate_check_interval", 0, LONGEST_CHECK, default=1800)
    interval = timedelta(seconds=seconds) if check else None
    sent = world.mail.send(valid, kind, content, duplicate_check=interval)
    return {"invaliduser": "|".join(invalid), "invalidparty": "", "invalidtag": "", **sent}


def _check_agent(world: World, call: Call) -> None:
    if call.body.get("agentid") != world.agent_id:
        raise ApiError(40056)


def _content(world: World, call: Call) -> tuple[Literal["text", "card"], str | dict[str, Any]]:
    kind = call.body.get("msgtype")
    if kind == "text":
        text = (call.body.get("text") or {}).get("content")
        if not isinstance(text, str) or not text:
            raise ApiError(44004)
        if len(text.encode()) > MOST_TEXT:
            raise ApiError(45002, f"text has {len(text.encode())} bytes")
        return "text", text
    if kind == "template_card":
        card: dict[str, Any] = call.body.get("template_card") or {}
        too_long = check_card(card, strict=world.strict_cards, task_id_required=True)
        world.too_long += [(card.get("task_id", ""), *each) for each in too_long]
        return "card", card
    raise ApiError(40008, f"{kind} (the simulator knows: text, template_card)")


def _receivers(world: World, call: Call) -> tuple[Sequence[str], Sequence[str]]:
    """The members that can be reached, and those that cannot. "@all" means everybody in the visible range."""
    reachable = [each.userid for each in world.staff.values() if each.visible and not each.left]
    touser = call.text("touser", missing=81013)
    if touser == "@all":
        return reachable, ()
    named = list(dict.fromkeys(each for each in touser.split("|") if each))
    if len(named) > 1000:
        raise ApiError(40032, "touser has more than 1000")
    known = set(reachable)
    return [each for each in named if each in known], [each for each in named if each not in known]


def update_template_card(world: World, call: Call) -> Json:
    """Changes a card for those of `userids` who got it; no callback tells of it. The code is spent either way it ends
    well; a refused call leaves it unspent."""
    _check_agent(world, call)
    code = call.text("response_code", missing=40063)
    everybody = call.number("atall", 0, 1, default=0)
    userids = strings(call.body.get("userids", []), "userids", 1000)
    if not userids and not everybody:
        raise ApiError(40063, "userids")
    replace_name, card = _replacement(world, call)
    got = world.mail.received_by(world.mail.spend_code(code))
    chosen = [*got] if everybody else userids
    for userid in chosen:
        if userid in got:
            if card is not None:
                got[userid].content = {"task_id": got[userid].task_id, **card}
                got[userid].replaced = card.get("replace_text")
            else:
                got[userid].replaced = replace_name
    return {"invaliduser": [each for each in chosen if each not in got]}


def _replacement(world: World, call: Call) -> tuple[str, dict[str, Any] | None]:
    """Either the text in place of the buttons, or another card."""
    button, card = call.body.get("button"), call.body.get("template_card")
    if (button is None) == (card is None):
        raise ApiError(40058, "either button or template_card")
    if card is not None:
        check_card(card, strict=world.strict_cards, task_id_required=False)
        return "", card
    name = button.get("replace_name") if isinstance(button, dict) else None
    if not isinstance(name, str) or not name:
        raise ApiError(42020, "button.replace_name")
    return name, None
