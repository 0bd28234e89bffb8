"""One file per kind of action that the bot carries out. This is the list."""

from bot.actions import (
    add_contact_way,
    add_corp_tags,
    add_join_way,
    add_welcome_template,
    call_remover,
    cancel_send,
    create_send,
    delete_join_way,
    delete_welcome_template,
    edit_welcome_template,
    mark_tag,
    pay,
    remind_send,
    send_card,
    send_notice,
    send_text,
    send_welcome,
    transfer_group,
    update_card,
    update_contact_way,
    update_join_way,
    upload_media,
)
from bot.actions.action import Action, LooksUp

ACTIONS: dict[str, Action] = {
    "update_join_way": update_join_way,
    "update_contact_way": update_contact_way,
    "delete_join_way": delete_join_way,
    "add_join_way": add_join_way,
    "add_contact_way": add_contact_way,
    "add_corp_tags": add_corp_tags,
    "add_welcome_template": add_welcome_template,
    "call_remover": call_remover,
    "cancel_send": cancel_send,
    "create_send": create_send,
    "delete_welcome_template": delete_welcome_template,
    "edit_welcome_template": edit_welcome_template,
    "mark_tag": mark_tag,
    "pay": pay,
    "remind_send": remind_send,
    "send_text": send_text,
    "send_welcome": send_welcome,
    "send_card": send_card,
    "send_notice": send_notice,
    "transfer_group": transfer_group,
    "update_card": update_card,
    "upload_media": upload_media,
}

LOOK_UPS: dict[str, LooksUp] = {
    "add_contact_way": add_contact_way,
    "add_join_way": add_join_way,
    "create_send": create_send,
}
"""Those that are looked up where their outcome is unknown. They are in ACTIONS, too."""
