"""What staff pressed and decided, on cards and on pages of ours."""

from typing import Literal

from pydantic import AwareDatetime

from rules.events.base import Event


class CardPressed(Event):
    """A member of staff pressed a button (template_card_event). `selected`: question key → chosen option ids."""

    kind: Literal["card_pressed"] = "card_pressed"
    userid: str
    task_id: str
    button: str
    card_type: str
    response_code: str | None
    selected: dict[str, tuple[str, ...]]


class CasesPressed(Event):
    """A member of staff pressed a button on a page of ours, about these cases."""

    kind: Literal["cases_pressed"] = "cases_pressed"
    userid: str
    case_ids: tuple[int, ...]
    button: Literal["removed", "warned", "release", "release_company", "later"]


class MattersPressed(Event):
    """A member of staff says on a page of ours that these matters are done."""

    kind: Literal["matters_pressed"] = "matters_pressed"
    userid: str
    matter_ids: tuple[int, ...]


class AppealDecided(Event):
    """A manager has looked at the appeal that is this matter: release, or uphold what was done."""

    kind: Literal["appeal_decided"] = "appeal_decided"
    userid: str
    matter_id: int
    verdict: Literal["release", "uphold"]


class BlocklistChanged(Event):
    """People were put on the blocklist, or taken off it, by hand. Each by external_userid or by unionid."""

    kind: Literal["blocklist_changed"] = "blocklist_changed"
    people: tuple[str, ...]


class SendSaid(Event):
    """A member of staff says on a page of ours that they have sent something by hand to these groups."""

    kind: Literal["send_said"] = "send_said"
    userid: str
    send_id: int
    chat_ids: tuple[str, ...]


class PostDecided(Event):
    """Somebody has looked at a post before it goes out. `say_at`: with `move`, when it is to stand there."""

    kind: Literal["post_decided"] = "post_decided"
    userid: str
    post_id: int
    verdict: Literal["pass", "move", "cancel"]
    say_at: AwareDatetime | None = None


class CouponRedeemed(Event):
    """A member of staff hands a gift over for this code, on our page."""

    kind: Literal["coupon_redeemed"] = "coupon_redeemed"
    userid: str
    code: str
