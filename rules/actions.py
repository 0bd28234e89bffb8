"""What is to be done, as imperative data. Rules return these, the outbox keeps them, `bot/actions/` does them."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, TypeAdapter

from rules.value import Value

# --- what rules ask for -----------------------------------------------------------------------------------------------


class AskForRemoval(Value):
    """Somebody who can is to be asked to take this person out of the group. Opens a case; sends nothing by itself.

    `doubt`: what the person asked should look at first, where the evidence leaves something open (Chinese, may be "").
    `words`: what to tell the person first, who then has `grace` to put it right. `held`: a manager looks at it first.
    """

    kind: Literal["ask_for_removal"] = "ask_for_removal"
    chat_id: str
    external_userid: str
    doubt: str = ""
    words: str = ""
    grace: timedelta | None = None
    held: bool = False


class WarnStaff(Value):
    """The group's owner is to tell this person something; nobody is asked to remove them. `words`: what to say."""

    kind: Literal["warn_staff"] = "warn_staff"
    chat_id: str
    external_userid: str
    words: str = ""


class BlockPerson(Value):
    """This person is to be asked to be removed from every group, now and whenever they come back."""

    kind: Literal["block_person"] = "block_person"
    external_userid: str
    because: str


class CheckAgain(Value):
    """What is unknown of this person is to be asked again later."""

    kind: Literal["check_again"] = "check_again"
    external_userid: str


AnyAction = Annotated[AskForRemoval | WarnStaff | BlockPerson | CheckAgain, Field(discriminator="kind")]


# --- deeds: rows of the outbox ----------------------------------------------------------------------------------------


class CardLine(Value):
    """One line of a card: a short label and its value (horizontal_content_list, at most 6 a card)."""

    label: str
    value: str


class CardChoice(Value):
    """One option of a card's drop-down list."""

    id: str
    text: str


class CardButton(Value):
    """`style`: 1 blue, 2 grey, 3 red (page 90236)."""

    key: str
    text: str
    style: int = 2


class Card(Value):
    """A button_interaction card (page 90236). `choices`, where given, is one drop-down list named `choice`."""

    title: str
    description: str
    text: str
    lines: tuple[CardLine, ...] = ()
    choices: tuple[CardChoice, ...] = ()
    choices_title: str = ""
    buttons: tuple[CardButton, ...]


class Link(Value):
    """A signed link to one of our pages, for one person. It is the same whenever it is written out.

    `page`: todo (what is open for them), open (opens a group's chat in WeCom: `chat_id`), report (whoever has it may
    report a member of the group `chat_id`; `userid` ""), appeal (the customer `userid`, an external_userid, about the
    case `case_id`). `issued_at`: its age is counted from here.
    """

    page: Literal["todo", "open", "report", "appeal"]
    userid: str
    issued_at: AwareDatetime
    chat_id: str = ""
    case_id: int = 0


class SendText(Value):
    """A text message to members of staff. `link`, where given, stands on a last line of its own."""

    kind: Literal["send_text"] = "send_text"
    to: tuple[str, ...]
    text: str
    link: Link | None = None


class SendNotice(Value):
    """A card without buttons (text_notice, page 90236) that opens a page when it is pressed."""

    kind: Literal["send_notice"] = "send_notice"
    to: tuple[str, ...]
    title: str
    description: str
    lines: tuple[CardLine, ...] = ()
    link: Link


class SendCard(Value):
    """A card to members of staff. The same `task_id` with the same body may be sent twice and arrives once."""

    kind: Literal["send_card"] = "send_card"
    task_id: str
    to: tuple[str, ...]
    card: Card


class UpdateCard(Value):
    """A card that was sent shows `replace_with` in place of its buttons to all of `to`. `response_code` works once."""

    kind: Literal["update_card"] = "update_card"
    task_id: str
    to: tuple[str, ...]
    response_code: str
    replace_with: str


class TransferGroup(Value):
    """A customer group gets a new owner (page 95703: at most twice in 90 days for one group). Raises no callback."""

    kind: Literal["transfer_group"] = "transfer_group"
    chat_id: str
    old_owner: str
    new_owner: str
    asked_by: str


class CallRemover(Value):
    """The company's own program is asked to take somebody out of a group. `url`: https. It proves nothing by itself."""

    kind: Literal["call_remover"] = "call_remover"
    url: str
    case_id: int
    chat_id: str
    group: str
    external_userid: str
    name: str
    requested_at: AwareDatetime


class SendWelcome(Value):
    """A new contact is greeted by whoever they added (page 92137): once per code, and never after `expires_at`."""

    kind: Literal["send_welcome"] = "send_welcome"
    welcome_code: str
    text: str
    expires_at: AwareDatetime


class AddWelcomeTemplate(Value):
    """A group welcome is to be made (page 92366). `title`, `number`: which order of which text (store/welcome.py)."""

    kind: Literal["add_welcome_template"] = "add_welcome_template"
    title: str
    number: int
    text: str


class EditWelcomeTemplate(Value):
    """A group welcome gets a new text, in all groups that it is attached to."""

    kind: Literal["edit_welcome_template"] = "edit_welcome_template"
    title: str
    number: int
    template_id: str
    text: str


class DeleteWelcomeTemplate(Value):
    """A group welcome that the config does not have any more goes."""

    kind: Literal["delete_welcome_template"] = "delete_welcome_template"
    title: str
    number: int
    template_id: str


AnyDeed = Annotated[
    SendText
    | SendNotice
    | SendCard
    | UpdateCard
    | TransferGroup
    | CallRemover
    | SendWelcome
    | AddWelcomeTemplate
    | EditWelcomeTemplate
    | DeleteWelcomeTemplate,
    Field(discriminator="kind"),
]

any_deed: TypeAdapter[AnyDeed] = TypeAdapter(AnyDeed)
