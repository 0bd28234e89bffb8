"""Signed links to our own pages: they say for whom they are, cannot be forged, and end after a while."""

import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from itsdangerous import BadData, Signer, URLSafeSerializer

from rules.actions import Link
from rules.clock import Clock

LINK_LIFE = timedelta(days=7)
LIVES: Mapping[str, timedelta | None] = {
    "appeal": timedelta(days=30),
    "redeem": timedelta(days=90),  # it lies at the till
    "report": None,  # it stands in the rules of a group, which nobody writes anew every week
}
"""Where it is another than LINK_LIFE; None: for ever."""


class LinkRefused(Exception):  # noqa: N818 - says what became of the link
    """A link that nobody here signed, or whose time is over (`expired`)."""

    def __init__(self, *, expired: bool) -> None:
        self.expired = expired
        super().__init__("expired" if expired else "not ours")


class Links:
    """Writes and reads links. The age is counted by our own clock from `issued_at`, so a link has one text for ever.

    `public_url`: scheme, host, perhaps a path; no slash at its end.
    """

    def __init__(self, public_url: str, secret_key: str, clock: Clock) -> None:
        self.public_url = public_url
        self._clock = clock
        self._secret_key = secret_key

    def url(self, link: Link) -> str:
        """The address that opens the page."""
        return f"{self.public_url}/{link.page}/{self.token(link)}"

    def token(self, link: Link) -> str:
        """The last part of the address."""
        said: list[str | int] = [link.chat_id, link.case_id, link.post_id, link.entrance, link.days]
        while said and not said[-1]:
            said.pop()
        return self._signer(link.page).dumps([link.userid, int(link.issued_at.timestamp()), *said])

    def read(self, page: str, token: str) -> Link:
        """What a token says. Raises LinkRefused."""
        try:
            userid, issued_at, *rest = self._signer(page).loads(token)
            values = {"page": page, "userid": userid, "issued_at": datetime.fromtimestamp(issued_at, UTC)}
            values |= dict(zip(("chat_id", "case_id", "post_id", "entrance", "days"), rest, strict=False))
            link = Link.model_validate(values)
        except (BadData, ValueError, TypeError, OverflowError):
            raise LinkRefused(expired=False) from None
        life = LIVES.get(page, LINK_LIFE)
        if life is not None and self._clock.now() - link.issued_at > life:
            raise LinkRefused(expired=True)
        return link

    def form_key(self, page: str, token: str) -> str:
        """What a form on that page carries, so that no other page can send it."""
        return self._form_signer(page).get_signature(token).decode()

    def is_form_key(self, page: str, token: str, key: str) -> bool:
        return hmac.compare_digest(self.form_key(page, token).encode(), key.encode())

    def pseudonym(self, what: str, name: str) -> str:
        """What `name` is called where its real id is nobody's business; the same for ever, and not to be guessed."""
        return Signer(self._secret_key, salt=f"steward:pseudonym:{what}").get_signature(name).decode()[:22]

    def sign_cookie(self, value: str) -> str:
        """A value for a cookie, with its signature."""
        return self._cookie_signer().sign(value).decode()

    def read_cookie(self, signed: str) -> str | None:
        """The value of a cookie that we signed; None where somebody else did."""
        try:
            return self._cookie_signer().unsign(signed.encode()).decode()
        except (BadData, UnicodeError):
            return None

    def seal(self, use: str, said: list[str | int]) -> str:
        """What somebody is to bring back to us unchanged, for one `use` only; they can read it."""
        return self._sealer(use).dumps(said)

    def unseal(self, use: str, sealed: str) -> list[str | int] | None:
        """What was sealed for this use; None where it was not by us."""
        try:
            said = self._sealer(use).loads(sealed)
        except BadData:
            return None
        return said if isinstance(said, list) else None

    def _sealer(self, use: str) -> URLSafeSerializer:
        return URLSafeSerializer(self._secret_key, salt=f"steward:sealed:{use}")

    def _cookie_signer(self) -> Signer:
        return Signer(self._secret_key, salt="steward:cookie")

    def _signer(self, page: str) -> URLSafeSerializer:
        """A salt per use: a token for one page opens no other."""
        return URLSafeSerializer(self._secret_key, salt=f"steward:{page}")

    def _form_signer(self, page: str) -> Signer:
        return Signer(self._secret_key, salt=f"steward:{page}:form")
