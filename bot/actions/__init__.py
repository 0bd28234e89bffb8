"""One file per kind of action that the bot carries out. This is the list."""

from bot.actions import (
    add_welcome_template,
    call_remover,
    delete_welcome_template,
    edit_welcome_template,
    send_card,
    send_notice,
    send_text,
    send_welcome,
    transfer_group,
    update_card,
)
from bot.actions.action import Action

ACTIONS: dict[str, Action] = {
    "add_welcome_template": add_welcome_template,
    "call_remover": call_remover,
    "delete_welcome_template": delete_welcome_template,
    "edit_welcome_template": edit_welcome_template,
    "send_text": send_text,
    "send_welcome": send_welcome,
    "send_card": send_card,
    "send_notice": send_notice,
    "transfer_group": transfer_group,
    "update_card": update_card,
}
