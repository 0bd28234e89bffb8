"""What the platform can be told to do. Only `bot/actions/` may import this. All raise PlatformError.

The body of a command depends on its deed alone, so that sending it again is recognised by the platform's duplicate
check (page 90236: 1,800 s here) and by `task_id`.
"""

import unicodedata
from collections.abc import Sequence
from typing import Any

from rules.actions import (
    AddContactWay,
    AddJoinWay,
    AddWelcomeTemplate,
    Card,
    CreateSend,
    DeleteJoinWay,
    DeleteWelcomeTemplate,
    EditWelcomeTemplate,
    MarkTag,
    RemindSend,
    SendCard,
    SendNotice,
    SendText,
    SendWelcome,
    TransferGroup,
    UpdateCard,
    UpdateContactWay,
    UpdateJoinWay,
)
from rules.value import Value
from wecom.errors import BAD_ANSWER, OUTCOME_UNKNOWN, PlatformError
from wecom.gateway import Gateway


class Sent(Value):
    """A message is out. `invalid_users` did not get it; `response_code` updates the card once, within 72 hours."""

    msgid: str
    invalid_users: tuple[str, ...]
    response_code: str | None


async def send_text(gateway: Gateway, deed: SendText, url: str | None = None) -> Sent:
    """message/send (page 90236). `url`, where given, is linked on a last line; the text is cut to leave it room."""
    end = f'\n<a href="{url}">打开处理页</a>' if url else ""
    return await _send(gateway, deed.to, "text", {"content": cut(deed.text, size=2048 - len(end.encode())) + end})


async def send_notice(gateway: Gateway, deed: SendNotice, url: str) -> Sent:
    """message/send with a text_notice card that opens `url` (page 90236)."""
    lines = [{"keyname": cut(line.label, 5), "value": cut(line.value, 30)} for line in deed.lines[:6]]
    body = {
        "card_type": "text_notice",
        "main_title": {"title": cut(deed.title, 36), "desc": cut(deed.description, 44)},
        "horizontal_content_list": lines,
        "jump_list": [{"type": 1, "title": deed.open_words, "url": url}],
        "card_action": {"type": 1, "url": url},
    }
    return await _send(gateway, deed.to, "template_card", body)


async def transfer_group(gateway: Gateway, deed: TransferGroup) -> None:
    """groupchat/onjob_transfer (page 95703). A group that the platform would not transfer raises PlatformError."""
    path = "externalcontact/groupchat/onjob_transfer"
    answer = await gateway.post(path, {"chat_id_list": [deed.chat_id], "new_owner": deed.new_owner})
    for failed in answer.get("failed_chat_list") or ():
        raise PlatformError(int(failed.get("errcode") or 0), path, treatment="refused")


async def send_card(gateway: Gateway, deed: SendCard) -> Sent:
    """message/send (page 90236)."""
    return await _send(gateway, deed.to, "template_card", _card(deed.card, deed.task_id))


async def update_card(gateway: Gateway, deed: UpdateCard) -> None:
    """update_template_card (page 94945). Uses up the response code."""
    body = {
        "userids": list(deed.to),
        "agentid": gateway.agent_id,
        "response_code": deed.response_code,
        "button": {"replace_name": deed.replace_with},
    }
    await gateway.post("message/update_template_card", body)


WELCOME_BYTES = 4000


async def send_welcome(gateway: Gateway, deed: SendWelcome, url: str | None = None) -> None:
    """externalcontact/send_welcome_msg (page 92137): 41051 where this code has been used, 41050 after 20 seconds.

    `url` stands on a last line of its own; a text too long for both is cut, because the link is what they wait for.
    """
    last = f"\n{url}" if url else ""
    text = deed.text.encode()[: WELCOME_BYTES - len(last)].decode(errors="ignore") + last
    body = {"welcome_code": deed.welcome_code, "text": {"content": text}}
    await gateway.post("externalcontact/send_welcome_msg", body)


_TEMPLATE = "externalcontact/group_welcome_template"


async def add_welcome_template(gateway: Gateway, deed: AddWelcomeTemplate) -> str:
    """group_welcome_template/add (page 92366): the template's id. Not idempotent, and templates cannot be listed.

    `notify` 0: the platform would tell all staff, each time; the bot tells each owner about their groups once.
    """
    path = f"{_TEMPLATE}/add"
    answer = await gateway.post(path, {"text": {"content": deed.text}, "notify": 0})
    template_id = str(answer.get("template_id") or "")
    if not template_id:
        raise PlatformError(OUTCOME_UNKNOWN, path)
    return template_id


async def edit_welcome_template(gateway: Gateway, deed: EditWelcomeTemplate) -> None:
    """group_welcome_template/edit (page 92366). Only templates that this app made."""
    await gateway.post(f"{_TEMPLATE}/edit", {"template_id": deed.template_id, "text": {"content": deed.text}})


async def delete_welcome_template(gateway: Gateway, deed: DeleteWelcomeTemplate) -> None:
    """group_welcome_template/del (page 92366). Only templates that this app made."""
    await gateway.post(f"{_TEMPLATE}/del", {"template_id": deed.template_id})


# --- 企业群发 ---------------------------------------------------------------------------------------------------------


class Made(Value):
    """A 企业群发 exists. `failed`: those of its targets that it cannot go to."""

    msgid: str
    failed: tuple[str, ...] = ()


async def create_send(gateway: Gateway, deed: CreateSend) -> Made:
    """externalcontact/add_msg_template (page 92135). Not idempotent: the same twice is two.

    Groups are always named: without a chat_id_list it would go to every group of the sender.
    """
    path = "externalcontact/add_msg_template"
    who = "chat_id_list" if deed.chat_type == "group" else "external_userid"
    body: dict[str, Any] = {"chat_type": deed.chat_type, "sender": deed.sender, who: list(deed.targets)}
    if deed.text:
        body["text"] = {"content": deed.text}
    if deed.attachments:
        body["attachments"] = [{"msgtype": each.msgtype, each.msgtype: each.fields} for each in deed.attachments]
    answer = await gateway.post(path, body)
    msgid = str(answer.get("msgid") or "")
    if not msgid:
        raise PlatformError(OUTCOME_UNKNOWN, path)
    return Made(msgid=msgid, failed=tuple(str(each) for each in answer.get("fail_list") or ()))


async def remind_send(gateway: Gateway, deed: RemindSend) -> None:
    """externalcontact/remind_groupmsg_send (page 97610): everybody who has not confirmed is rung again."""
    await gateway.post("externalcontact/remind_groupmsg_send", {"msgid": deed.msgid})


async def cancel_send(gateway: Gateway, msgid: str) -> None:
    """externalcontact/cancel_groupmsg_send (page 97611): whoever has not confirmed need not any more, and cannot."""
    await gateway.post("externalcontact/cancel_groupmsg_send", {"msgid": msgid})


async def upload_media(gateway: Gateway, kind: str, name: str, content: bytes) -> str:
    """media/upload (page 90253): the media id, good for three days."""
    path = "media/upload"
    answer = await gateway.upload(path, name, content, type=kind)
    media_id = str(answer.get("media_id") or "")
    if not media_id:
        raise PlatformError(BAD_ANSWER, path)
    return media_id


_JOIN_WAY = "externalcontact/groupchat/{}_join_way"
_QR = 2  # scene: a code to be scanned, not a mini-program's button


async def add_join_way(gateway: Gateway, deed: AddJoinWay) -> str:
    """groupchat/add_join_way (page 99547): its config_id. Not idempotent, and join ways cannot be listed."""
    path = _JOIN_WAY.format("add")
    answer = await gateway.post(path, _join_way(deed))
    config_id = str(answer.get("config_id") or "")
    if not config_id:
        raise PlatformError(OUTCOME_UNKNOWN, path)
    return config_id


async def update_join_way(gateway: Gateway, deed: UpdateJoinWay) -> None:
    """groupchat/update_join_way (page 99547). Overwrites: what is not sent is as if it had never been set."""
    await gateway.post(_JOIN_WAY.format("update"), {"config_id": deed.config_id, **_join_way(deed)})


async def delete_join_way(gateway: Gateway, deed: DeleteJoinWay) -> None:
    """groupchat/del_join_way (page 99547). What is gone already is refused."""
    await gateway.post(_JOIN_WAY.format("del"), {"config_id": deed.config_id})


def _join_way(deed: AddJoinWay | UpdateJoinWay) -> dict[str, Any]:
    body: dict[str, Any] = {
        "scene": _QR,
        "remark": cut(deed.remark, 30),
        "auto_create_room": int(deed.auto_create_room),
        "chat_id_list": list(deed.chat_ids),
        "state": deed.state,
    }
    if deed.auto_create_room:
        body |= {"room_base_name": cut(deed.room_base_name, size=40), "room_base_id": deed.room_base_id}
    return body


async def add_contact_way(gateway: Gateway, deed: AddContactWay) -> tuple[str, str]:
    """externalcontact/add_contact_way (page 92228): its config_id and the address of its picture. Not idempotent.

    `skip_verify`: whoever scans is added without anybody confirming, and the event brings `state` and a welcome code.
    """
    path = "externalcontact/add_contact_way"
    answer = await gateway.post(path, {"type": 2, "scene": _QR, "skip_verify": True, **_contact_way(deed)})
    config_id = str(answer.get("config_id") or "")
    if not config_id:
        raise PlatformError(OUTCOME_UNKNOWN, path)
    return config_id, str(answer.get("qr_code") or "")


async def update_contact_way(gateway: Gateway, deed: UpdateContactWay) -> None:
    """externalcontact/update_contact_way (page 92228). The picture stays."""
    await gateway.post("externalcontact/update_contact_way", {"config_id": deed.config_id, **_contact_way(deed)})


def _contact_way(deed: AddContactWay | UpdateContactWay) -> dict[str, Any]:
    return {"user": list(deed.userids), "state": deed.state, "remark": cut(deed.remark, 30)}


async def add_corp_tags(gateway: Gateway, group: str, names: Sequence[str]) -> None:
    """externalcontact/add_corp_tag (page 96320): the group is made where there is none; 40071 where a name is there."""
    body = {"group_name": group, "tag": [{"name": name} for name in names]}
    await gateway.post("externalcontact/add_corp_tag", body)


async def mark_tag(gateway: Gateway, deed: MarkTag) -> None:
    """externalcontact/mark_tag (page 92697): 84061 where `userid` has not added the person."""
    body = {"userid": deed.userid, "external_userid": deed.external_userid, "add_tag": list(deed.tag_ids)}
    await gateway.post("externalcontact/mark_tag", body)


async def _send(gateway: Gateway, to: tuple[str, ...], kind: str, content: dict[str, Any]) -> Sent:
    body = {
        "touser": "|".join(to),
        "msgtype": kind,
        "agentid": gateway.agent_id,
        kind: content,
        "enable_duplicate_check": 1,
        "duplicate_check_interval": 1800,
    }
    answer = await gateway.post("message/send", body)
    invalid = str(answer.get("invaliduser") or "")
    return Sent(
        msgid=str(answer.get("msgid") or ""),
        invalid_users=tuple(user for user in invalid.split("|") if user),
        response_code=str(answer.get("response_code") or "") or None,
    )


def _card(card: Card, task_id: str) -> dict[str, Any]:
    """The numbers are what page 90236 says a client shows; it refuses more than 6 lines, 10 choices or 6 buttons."""
    body: dict[str, Any] = {
        "card_type": "button_interaction",
        "main_title": {"title": cut(card.title, 36), "desc": cut(card.description, 44)},
        "sub_title_text": cut(card.text, 160),
        "horizontal_content_list": [
            {"keyname": cut(line.label, 5), "value": cut(line.value, 30)} for line in card.lines[:6]
        ],
        "task_id": task_id,
        "button_list": [
            {"text": cut(button.text, 10), "style": button.style, "key": button.key} for button in card.buttons
        ],
    }
    if card.choices:
        body["button_selection"] = {
            "question_key": "choice",
            "title": cut(card.choices_title, 10),
            "option_list": [{"id": choice.id, "text": cut(choice.text, 16)} for choice in card.choices],
            "selected_id": card.choices[0].id,
        }
    return body


def cut(text: str, length: int | None = None, *, size: int | None = None) -> str:
    """`text` within `length` characters and `size` bytes of UTF-8, with "…" in place of what had to go.

    What a reader sees as one character (an accent, an emoji of several parts) is kept whole or dropped whole.
    """
    if (length is None or len(text) <= length) and (size is None or len(text.encode()) <= size):
        return text
    kept = text if length is None else text[: length - 1]
    if size is not None:
        kept = kept.encode()[: size - len("…".encode())].decode(errors="ignore")
    end = len(kept)
    while end and _joins(text, end):
        end -= 1
    return text[:end] + "…"


def _joins(text: str, at: int) -> bool:
    """Do the characters before and after this place belong together?"""
    before, after = text[at - 1], text[at : at + 1]
    return (
        before == "\u200d"
        or after == "\u200d"
        or (after != "" and unicodedata.category(after) in ("Mn", "Me", "Mc"))
        or "\U0001f3fb" <= after <= "\U0001f3ff"  # colours of skin
        or ("\U0001f1e6" <= before <= "\U0001f1ff" and "\U0001f1e6" <= after <= "\U0001f1ff")  # flags
    )
