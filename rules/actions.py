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

    `page`: todo (what is open for them), open (opens a group's chat in WeCom: `chat_id`), sends (what they are to send
    by hand), preview (the post `post_id` before it goes out), report (whoever has it may report a member of the group
    `chat_id`; `userid` ""), appeal (the customer `userid`, an external_userid, about the case `case_id`), entrance
    (the customer `userid` has added staff and may go in by the `entrance`), week (what became of the posts of `days`,
    2026-11-16~2026-11-22), checkins (how far everybody got in the check-ins), redeem (tick off coupons in the shop),
    winners (who has won in the draw `post_id`). `issued_at`: its age is counted from here.
    """

    page: Literal[
        "todo", "open", "report", "appeal", "sends", "preview", "entrance", "week", "checkins", "redeem", "winners"
    ]
    userid: str
    issued_at: AwareDatetime
    chat_id: str = ""
    case_id: int = 0
    post_id: int = 0
    entrance: str = ""
    days: str = ""


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
    open_words: str = "打开名单"


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
    """A new contact is greeted by whoever they added (page 92137): once per code, and never after `expires_at`.

    `link`, where given, stands on a last line of its own.
    """

    kind: Literal["send_welcome"] = "send_welcome"
    welcome_code: str
    text: str
    expires_at: AwareDatetime
    link: Link | None = None


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


class Sendable(Value):
    """One attachment of a 企业群发 as page 92135 has it: `fields` are those of its `msgtype`, media ids included."""

    msgtype: Literal["image", "link", "miniprogram", "video", "file"]
    fields: dict[str, str]


class CreateSend(Value):
    """A 企业群发 is made (page 92135): its sender confirms it in WeCom's 群发助手, nothing goes out before.

    `send_id`: the row it is for (store/sends.py), ordered for the `number`-th time. `targets`: chat_ids of groups that
    the sender owns, or, `single`, external_userids of people whom they have added.
    """

    kind: Literal["create_send"] = "create_send"
    send_id: int
    number: int
    chat_type: Literal["group", "single"]
    sender: str
    targets: tuple[str, ...]
    text: str
    attachments: tuple[Sendable, ...] = ()


class RemindSend(Value):
    """The 群发助手 of whoever has not confirmed rings again (page 97610: at most 3 times in 24 hours)."""

    kind: Literal["remind_send"] = "remind_send"
    send_id: int
    msgid: str


class CancelSend(Value):
    """A 企业群发 that was not confirmed need not be sent any more (page 97611). What was sent stays."""

    kind: Literal["cancel_send"] = "cancel_send"
    send_id: int
    msgid: str


class UploadMedia(Value):
    """A file is put where a 企业群发 can take it from: good for three days (page 90253).

    `path`: below the folder of the config. `number`: the how-many-th time it is ordered.
    """

    kind: Literal["upload_media"] = "upload_media"
    type: Literal["image", "video", "file"]
    path: str
    number: int


class AddJoinWay(Value):
    """A code that leads into groups is to be made (page 99547). `way_id`, `number`: of store/join_ways.py.

    `state`: at most 30 characters; who comes in by it has it on the roster. `chat_ids`: five at most.
    """

    kind: Literal["add_join_way"] = "add_join_way"
    way_id: int
    number: int
    state: str
    chat_ids: tuple[str, ...]
    remark: str = ""
    auto_create_room: bool = False
    room_base_name: str = ""
    room_base_id: int = 1


class UpdateJoinWay(Value):
    """A code leads elsewhere from now on; the picture stays. The whole of it: an update overwrites (page 99547)."""

    kind: Literal["update_join_way"] = "update_join_way"
    way_id: int
    number: int
    config_id: str
    state: str
    chat_ids: tuple[str, ...]
    remark: str = ""
    auto_create_room: bool = False
    room_base_name: str = ""
    room_base_id: int = 1


class DeleteJoinWay(Value):
    """A code is to lead nowhere any more: the door closes."""

    kind: Literal["delete_join_way"] = "delete_join_way"
    way_id: int
    number: int
    config_id: str


class AddContactWay(Value):
    """A code that makes its scanner a contact of one of `userids` is to be made (page 92228)."""

    kind: Literal["add_contact_way"] = "add_contact_way"
    way_id: int
    number: int
    state: str
    userids: tuple[str, ...]
    remark: str = ""


class UpdateContactWay(Value):
    """That code leads to other members of staff from now on; the picture stays (page 92228)."""

    kind: Literal["update_contact_way"] = "update_contact_way"
    way_id: int
    number: int
    config_id: str
    state: str
    userids: tuple[str, ...]
    remark: str = ""


class AddCorpTags(Value):
    """These tags of the corp are to be there (page 96320): in this group, or, `anywhere`, in whichever has them."""

    kind: Literal["add_corp_tags"] = "add_corp_tags"
    group: str
    names: tuple[str, ...]
    anywhere: bool = False


class MarkTag(Value):
    """Tags are put on a contact whom `userid` has added (page 92697). `own_tags`: the rows of store/own_tags.py."""

    kind: Literal["mark_tag"] = "mark_tag"
    userid: str
    external_userid: str
    tag_ids: tuple[str, ...]
    own_tags: tuple[int, ...]


class RedPacket(Value):
    """A cash red packet of WeChat Pay (v2 sendredpack) as it is said to the provider, field by field. Amounts in fen.

    The same `mch_billno` with anything else different is refused for ever (FATAL_ERROR).
    """

    mch_billno: str
    mch_id: str
    wxappid: str
    re_openid: str
    total_amount: int
    send_name: str
    act_name: str
    wishing: str
    remark: str
    client_ip: str
    scene_id: str | None = None


class Pay(Value):
    """A red packet is to be sent, or asked about: the `call`-th call of this payout (store/payouts.py)."""

    kind: Literal["pay"] = "pay"
    payout_id: int
    call: int
    what: Literal["send", "query"]
    packet: RedPacket


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
    | DeleteWelcomeTemplate
    | CreateSend
    | RemindSend
    | CancelSend
    | UploadMedia
    | AddJoinWay
    | UpdateJoinWay
    | DeleteJoinWay
    | AddContactWay
    | UpdateContactWay
    | AddCorpTags
    | MarkTag
    | Pay,
    Field(discriminator="kind"),
]

any_deed: TypeAdapter[AnyDeed] = TypeAdapter(AnyDeed)
