"""Who a visitor of our pages is, for `steward explain`: the ids that are known, what ties them, and what was undone."""

from pydantic import AwareDatetime
from rich.console import Console
from rich.text import Text

from bot import say
from rules.identity import TIES, Evidence
from rules.value import Value
from store import identities
from store.database import Tx
from store.identities import ProofRow

KINDS = {"openid": "openid", "external_userid": "客户 id", "unionid": "unionid"}


class KnownId(Value):
    """One id; an openid or a unionid is shown in part only. `appid`: whose openid it is. `how` in Chinese."""

    kind: str
    appid: str
    value: str
    since: AwareDatetime
    how: str


class Tie(Value):
    """What said that two ids are one person's. `merged`: (kept, gone), where it made two visitors one.

    `number` is what `steward explain --split` is given.
    """

    number: int
    at: AwareDatetime
    between: tuple[str, str]
    because: str
    certain: bool
    merged: tuple[int, int] | None
    undone_at: AwareDatetime | None
    undone_because: str


class Identity(Value):
    """A visitor: the number that pages and ledgers know somebody by."""

    visitor: int
    ids: tuple[KnownId, ...]
    ties: tuple[Tie, ...]


async def of_person(tx: Tx, external_userid: str) -> Identity | None:
    """None, where they never opened a page of ours."""
    visitor_id = await identities.visitor_with(tx, "external_userid", external_userid)
    return await of_visitor(tx, visitor_id) if visitor_id is not None else None


async def subjects_of(tx: Tx, external_userid: str) -> list[str]:
    """What the trace calls somebody at our pages: by each number that they were ever known by there."""
    visitor_id = await identities.visitor_with(tx, "external_userid", external_userid)
    rows = await identities.proofs_of(tx, visitor_id) if visitor_id is not None else []
    return [identities.subject_of(row.home) for row in rows]


async def of_visitor(tx: Tx, visitor_id: int) -> Identity | None:
    """The visitor with this number, whoever they are by now; None where there is none."""
    known_as = await identities.visitor_now(tx, visitor_id)
    if known_as is None:
        return None
    rows = await identities.proofs_of(tx, known_as)
    ties = await identities.ties_about(tx, [row.id for row in rows])
    names = {row.id: _called(row) for row in rows}
    for number in {number for tie in ties for number in (tie.one, tie.other)} - names.keys():
        other = await identities.proof_row(tx, number)
        names[number] = _called(other) if other is not None else "已删除的 id"
    return Identity(
        visitor=known_as,
        ids=tuple(
            KnownId(
                kind=KINDS.get(row.kind, row.kind),
                appid=row.appid,
                value=_shown(row),
                since=row.at,
                how=_says(row.proof().evidence),
            )
            for row in rows
        ),
        ties=tuple(
            Tie(
                number=tie.id,
                at=tie.at,
                between=(names[tie.one], names[tie.other]),
                because=tie.because + (f"（{tie.source}）" if tie.source else ""),
                certain=tie.link().told,
                merged=(tie.kept, tie.gone) if tie.gone else None,
                undone_at=tie.undone_at,
                undone_because=tie.undone_because,
            )
            for tie in ties
        ),
    )


def _says(evidence: Evidence) -> str:
    return TIES[evidence].says


def _called(row: ProofRow) -> str:
    return f"{KINDS.get(row.kind, row.kind)} {_shown(row)}"


def _shown(row: ProofRow) -> str:
    """An external_userid stands in every list; the others are shortened."""
    return row.value if row.kind == "external_userid" else f"{row.value[:6]}…{row.value[-4:]}"


def show(console: Console, identity: Identity) -> None:
    """Which ids are known, and why they are taken for one person's."""
    say.title(console, f"在我们的页面上是访客 {identity.visitor}")
    say.rows(console, [(Text(say.at(each.since), style="dim"), _id(each)) for each in identity.ids])
    if identity.ties:
        say.title(console, "为什么算同一个人")
        say.rows(console, [(Text(f"[{tie.number}]", style="dim"), _tie(tie)) for tie in identity.ties])


def _id(known: KnownId) -> Text:
    return Text.assemble(f"{known.kind} {known.value}", (f"\n{known.how}", "dim"))


def _tie(tie: Tie) -> Text:
    text = Text(f"{tie.between[0]} = {tie.between[1]}\n{tie.because}")
    notes = [say.at(tie.at), *([] if tie.certain else ["是推断，不是企业微信说的"])]
    if tie.merged:
        notes.append(f"访客 {tie.merged[1]} 并入 {tie.merged[0]}")
    text.append(f"\n{'  '.join(notes)}", style="dim")
    if tie.undone_at:
        text.append(f"\n{say.at(tie.undone_at)} 已拆开：{tie.undone_because}", style="red")
    return text
