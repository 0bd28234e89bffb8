"""Which ids stand on every log line about an event or a deed: group, person, card, case and post, where it has them."""

from rules import events
from rules.events import AnyEvent
from store import history
from store.database import Tx
from store.outbox import Outbox


def of_event(event: AnyEvent) -> dict[str, object]:
    """What the event itself says it is about."""
    ids: dict[str, object] = {"kind": event.kind}
    match event:
        case events.CaseStepDue(case_id=case_id):
            ids["case"] = case_id
        case events.CardDue(card_id=card_id):
            ids["card"] = card_id
        case events.CardPressed(task_id=task_id, userid=userid):
            ids |= {"task": task_id, "staff": userid}
        case events.ContactEvent(external_userid=person) | events.PersonCheckDue(external_userid=person):
            ids["person"] = person
        case events.PostDue(post_id=post_id) | events.PostDecided(post_id=post_id):
            ids["post"] = post_id
        case events.SendDue(send_id=send_id) | events.SendSaid(send_id=send_id):
            ids["send"] = send_id
        case events.SendOver(send_id=send_id, about=about):
            ids |= {"send": send_id, "about": about}
    if chat_id := getattr(event, "chat_id", None):
        ids["group"] = chat_id
    return ids


async def of_deed(row: Outbox, tx: Tx) -> dict[str, object]:
    """What the deed is about: "case:12" is a case; "card:3" stands for the cases on it, "post:4" is a post."""
    what, _, number = (row.about or "").partition(":")
    if what in ("case", "post"):
        return {what: number}
    if what == "card" and number.isdigit():
        return {"card": number, "case": ",".join(map(str, await history.case_numbers_on(tx, int(number))))}
    return {}
