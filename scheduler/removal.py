"""Cards that have waited for company long enough, and open cases whose next step has come."""

from datetime import datetime
from typing import cast

from rules.events import CardDue, CaseStep, CaseStepDue
from rules.lanes import NORMAL, REMOVAL
from store import cards, inbox, removal
from store.database import Tx


async def sweep(tx: Tx, now: datetime) -> int:
    waited = await cards.due(tx, now=now)
    for card in waited:
        card.state = "due"
        await inbox.put(
            tx,
            source="timer",
            key=f"card:{card.number}:{card.send_at.isoformat()}",
            event=CardDue(at=now, card_id=card.number),
            lane=REMOVAL,
            ordering_key=f"group:{card.chat_id}",
            due_at=now,
            now=now,
        )
    cases = await removal.steps_due(tx, now=now)
    for case in cases:
        when, case.step_due_at = case.step_due_at, None
        await inbox.put(
            tx,
            source="timer",
            key=f"case:{case.number}:{case.step}:{when.isoformat() if when else ''}",
            event=CaseStepDue(at=now, case_id=case.number, chat_id=case.chat_id, step=cast("CaseStep", case.step)),
            lane=NORMAL,
            ordering_key=f"group:{case.chat_id}",
            due_at=now,
            now=now,
        )
    return len(waited) + len(cases)


async def next_due(tx: Tx) -> datetime | None:
    due = [at for at in (await cards.next_due(tx), await removal.next_step(tx)) if at is not None]
    return min(due, default=None)
