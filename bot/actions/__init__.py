"""One file per kind of action that the bot carries out. This is the list."""

from bot.actions import call_remover, send_card, send_notice, send_text, transfer_group, update_card
from bot.actions.action import Action

ACTIONS: dict[str, Action] = {
    "call_remover": call_remover,
    "send_text": send_text,
    "send_card": send_card,
    "send_notice": send_notice,
    "transfer_group": transfer_group,
    "update_card": update_card,
}
