"""An event that was given up after all tries: what it was about is looked at anew, so that nothing is lost with it."""

from datetime import datetime, timedelta

from rules import events
from rules.events import AnyEvent
from rules.lanes import NORMAL
from store import cards, inbox, people, posts, removal, roster, sends
from store.database import Tx
from store.inbox import Inbox

LATER = timedelta(minutes=2)


async def look_anew(tx: Tx, row: Inbox, event: AnyEvent, *, now: datetime) -> bool:
    """Have what the event of this row was about looked at a little later. False where nothing can be looked at."""
    at = now + LATER
    match event:
        case events.CaseStepDue(case_id=case_id, step=step):
            case = await removal.case(tx, case_id)
            if case is not None and case.open_key:
                case.step, case.step_due_at = step, at
        case events.CardDue(card_id=card_id):
            card = await cards.card(tx, card_id)
            if card is not None and card.state == "due":
                card.state, card.send_at = "planned", at
        case events.GroupEvent(chat_id=chat_id):
            roster.read_soon(await roster.known_or_new(tx, chat_id, now=now), at=at)
        case events.PersonCheckDue(external_userid=who) | events.ContactAdded(external_userid=who):
            (await people.known_or_new(tx, who)).check_due_at = at
        case events.RosterReadDue():
            await inbox.put(
                tx,
                source="timer",
                key=f"roster:after:{row.id}",
                event=event,
                lane=NORMAL,
                ordering_key=row.ordering_key,
                due_at=at,
                now=now,
            )
        case events.GroupsReadDue():
            pass  # they are still stale: a later round takes them up
        case events.PayoutsDue():
            pass  # they are due again a little later
        case _:
            return await _look_at_posts(tx, event, at=at)
    return True


async def _look_at_posts(tx: Tx, event: AnyEvent, *, at: datetime) -> bool:
    """Likewise of scheduled posts and what is sent for them."""
    match event:
        case events.PostDue(post_id=post_id):
            post = await posts.post(tx, post_id)
            if post is not None and post.state == "planned":
                post.due_at = at
        case events.SendDue(send_id=send_id):
            send = await sends.send(tx, send_id)
            if send is not None and send.due_at is None:
                send.due_at = at
        case events.CalendarDue() | events.OwnSendsDue():
            pass  # the next look comes by itself
        case _:
            return False
    return True
