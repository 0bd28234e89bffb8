"""Signed links to our own pages: they say for whom they are, cannot be forged, and end after a week."""

import hmac
from datetime import UTC, datetime, timedelta

from itsdangerous import BadData, Signer, URLSafeSerializer

from rules.actions import Link
from rules.clock import Clock

LINK_LIFE = timedelta(days=7)


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
        said = [link.userid, int(link.issued_at.timestamp()), *([link.chat_id] if link.chat_id else [])]
        return self._signer(link.page).dumps(said)

    def read(self, page: str, token: str) -> Link:
        """What a token says. Raises LinkRefused."""
        try:
            userid, issued_at, *rest = self._signer(page).loads(token)
            values = {"page": page, "userid": userid, "issued_at": datetime.fromtimestamp(issued_at, UTC)}
            link = Link.model_validate({**values, "chat_id": rest[0] if rest else ""})
        except (BadData, ValueError, TypeError, OverflowError):
            raise LinkRefused(expired=False) from None
        if self._clock.now() - link.issued_at > LINK_LIFE:
            raise LinkRefused(expired=True)
        return link

    def form_key(self, page: str, token: str) -> str:
        """What a form on that page carries, so that no other page can send it."""
        return self._form_signer(page).get_signature(token).decode()

    def is_form_key(self, page: str, token: str, key: str) -> bool:
        return hmac.compare_digest(self.form_key(page, token).encode(), key.encode())

    def _signer(self, page: str) -> URLSafeSerializer:
        """A salt per use: a token for one page opens no other."""
        return URLSafeSerializer(self._secret_key, salt=f"steward:{page}")

    def _form_signer(self, page: str) -> Signer:
        return Signer(self._secret_key, salt=f"steward:{page}:form")
