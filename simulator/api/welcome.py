"""group_welcome_template/add, edit, get, del (page 92366) and send_welcome_msg (page 92137)."""

from collections.abc import Mapping
from typing import Any

from simulator.api.call import Call, Json
from simulator.errors import ApiError
from simulator.world import World

GROUP_TEXT, CONTACT_TEXT = 3000, 4000  # bytes
ATTACHMENTS = ("image", "link", "miniprogram", "file", "video")


def template_add(world: World, call: Call) -> Json:
    """Not idempotent: the same twice is two. There is no list of them. The code for a full library is a guess [NV]."""
    text = _text(call, GROUP_TEXT)
    notify = call.number("notify", 0, 1, default=1)
    return {"template_id": world.welcomes.add(text, notify=bool(notify)).template_id}


def template_edit(world: World, call: Call) -> Json:
    template = world.welcomes.get(call.text("template_id"))
    template.text = _text(call, GROUP_TEXT)
    return {}


def template_get(world: World, call: Call) -> Json:
    return {"text": {"content": world.welcomes.get(call.text("template_id")).text}}


def template_del(world: World, call: Call) -> Json:
    world.welcomes.delete(call.text("template_id"))
    return {}


def send_welcome_msg(world: World, call: Call) -> Json:
    code = call.text("welcome_code", missing=41050)
    world.welcomes.greet(code, _text(call, CONTACT_TEXT))
    return {}


def _text(call: Call, most: int) -> str:
    """The text; something has to be there. Of the attachments the simulator only checks that they are objects."""
    text: Any = call.body.get("text")
    attachments = [call.body[name] for name in ATTACHMENTS if call.body.get(name) is not None]
    attachments += call.body.get("attachments") or []
    if not all(isinstance(each, Mapping) for each in attachments):
        raise ApiError(40058, "attachments")
    content = text.get("content") if isinstance(text, Mapping) else None
    if not content and not attachments:
        raise ApiError(40063, "text")
    if content is not None and not isinstance(content, str):
        raise ApiError(40058, "text.content must be a string")
    if content and len(content.encode()) > most:
        raise ApiError(40058, f"text.content has {len(content.encode())} bytes")
    return content or ""
