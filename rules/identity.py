"""Who is this person? What names somebody, what ties two such names together, and what never does.

A *visitor* is one person as far as we know: a set of proofs. A proof is an id that the platform gives one person:

openid           what one app calls a WeChat user; `appid`: which app, the corp id (WeCom's OAuth) or a 公众号's
external_userid  what the corp calls somebody outside it (`wm…` WeChat, `wo…` another company's WeCom)
unionid          what all apps of one owner call a WeChat user

Visitors become one only where TIES says that the evidence is certain, and never where they would have two ids of a
sort of which a person has one. A tie that we have *inferred* gives way where the platform itself says otherwise.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Literal, NamedTuple

from rules.value import Value

Kind = Literal["openid", "external_userid", "unionid"]

Evidence = Literal["oauth", "mp_oauth", "same_login", "roster", "converted", "join_state"]
"""From where it is known that an id belongs to a visitor.

oauth       WeCom answered for one code: this openid, and where staff have added them this external_userid (page 96442)
mp_oauth    the brand's 公众号 answered for one code: this openid of its own and this unionid
same_login  one browser went through both of these within minutes, bound by one signed state
roster      the roster of a group, or a contact's record, shows this unionid for this external_userid (page 96338)
converted   convert_to_openid says that this external_userid has this openid (page 92323)
join_state  one person, and only one, came through a join way that was made for this visitor's scan
"""


class Tie(NamedTuple):
    """How far evidence goes. `told`: the platform names both ids in one answer. `says`: how a manager reads it."""

    told: bool
    says: str


TIES: Mapping[Evidence, Tie] = {
    "oauth": Tie(told=True, says="在微信里打开页面时，企业微信说出了 TA 是谁"),
    "mp_oauth": Tie(told=True, says="品牌公众号说出了 TA 的 unionid"),
    "roster": Tie(told=True, says="群名单（或客户资料）上写着这个 unionid"),
    "converted": Tie(told=True, says="企业微信换算出了这位群成员的 openid"),
    "same_login": Tie(told=False, says="同一个浏览器接连通过了企业微信和公众号的登录"),
    "join_state": Tie(told=False, says="只有一个人从为 TA 这次扫码专门生成的入群码进群"),
}
"""Every evidence that ties. What is not here (a name, a picture, an address, a browser, a shared link) never does."""


class Proof(Value):
    """One id of one person. `appid`: whose openid it is, "" for other kinds. `source`: what the evidence rests on
    besides, such as the join way's state.
    """

    kind: Kind
    value: str
    appid: str = ""
    evidence: Evidence
    source: str = ""

    @property
    def sort(self) -> tuple[str, str]:
        """A person has one id of each sort: one openid per app, one unionid, one external_userid."""
        return (self.kind, self.appid)

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes two proofs the same id, whatever the evidence."""
        return (self.kind, self.appid, self.value)


def clash(one: Iterable[Proof], other: Iterable[Proof]) -> tuple[Proof, Proof] | None:
    """Two ids, one of each, of which nobody has two: then these are two people. None where nothing speaks against."""
    has = {proof.sort: proof for proof in one}
    for proof in other:
        mine = has.get(proof.sort)
        if mine is not None and mine.value != proof.value:
            return mine, proof
    return None


class Link(NamedTuple):
    """Two proofs (by their numbers) that some evidence ties together. `told`: by the platform, not inferred by us."""

    number: int
    one: int
    other: int
    told: bool


def parts(proofs: Iterable[int], links: Iterable[Link]) -> list[set[int]]:
    """Who is one person with whom, by these links alone: each set is one person's proofs, the oldest proof's first."""
    person = {number: {number} for number in sorted(proofs)}
    for link in links:
        if link.one in person and link.other in person and person[link.one] is not person[link.other]:
            together = person[link.one] | person[link.other]
            person |= dict.fromkeys(together, together)
    return list({id(each): each for each in person.values()}.values())


def inferences_between(links: Collection[Link], one: int, other: int) -> set[int] | None:
    """Which inferences have to go so that nothing ties these two proofs any more; none, where nothing does.

    None: it cannot be done, for the platform itself ties them. Where one of several inferences is wrong and nobody can
    tell which, all of them go.
    """
    kept = list(links)
    while (way := _way(kept, one, other)) is not None:
        doubtful = {link.number for link in way if not link.told}
        if not doubtful:
            return None
        kept = [link for link in kept if link.number not in doubtful]
    return {link.number for link in links} - {link.number for link in kept}


def _way(links: Iterable[Link], one: int, other: int) -> list[Link] | None:
    """How one leads to the other; the platform's word is followed before any inference."""
    ways: dict[int, list[Link]] = {one: []}
    ordered = sorted(links, key=lambda link: not link.told)
    while other not in ways:
        step = next((link for link in ordered if (link.one in ways) != (link.other in ways)), None)
        if step is None:
            return None
        known, new = (step.one, step.other) if step.one in ways else (step.other, step.one)
        ways[new] = [*ways[known], step]
    return ways[other]


class Weighed(NamedTuple):
    """What to do with two visitors: join them; keep them apart; or first `undo` what was only inferred, and look again.

    `because`: for a manager, in Chinese.
    """

    verdict: Literal["join", "apart", "undo"]
    because: str


def weigh(one: Iterable[Proof], other: Iterable[Proof], evidence: Evidence, *, inferred: bool) -> Weighed:
    """Are these two visitors one person? `evidence`: what says so. `inferred`: what speaks against it belongs to one of
    them by an inference alone.
    """
    tie, against = TIES[evidence], clash(one, other)
    if against is None:
        return Weighed("join", tie.says)
    sort = SORTS[against[0].kind]
    if tie.told and inferred:
        return Weighed("undo", f"{tie.says}，和先前推断的不同（{sort}对不上），先前的推断作废")
    return Weighed("apart", f"{tie.says}，但两边的{sort}不同，不可能是同一个人，没有合并")


SORTS: Mapping[Kind, str] = {"openid": " openid ", "external_userid": "客户 id ", "unionid": " unionid "}


def came_through(state: str, joiners: Collection[str]) -> Proof | None:
    """What a join way made for one scan says, given all who ever came through it: nothing where they are two."""
    everybody = set(joiners)
    if not state or len(everybody) != 1:
        return None
    return Proof(kind="external_userid", value=everybody.pop(), evidence="join_state", source=state)


def is_other_company(external_userid: str) -> bool:
    """A WeCom user of another company, by the id's prefix (page 92323)."""
    return external_userid.startswith("wo")
