"""Signed links to our own pages: they say for whom they are, cannot be forged, and end after a week."""

from datetime import UTC, datetime, timedelta

from itsdangerous import BadData, URLSafeSerializer

from rules.actions import Link
from rules.clock import Clock

LINK_LIFE = timedelta(days=7)


class LinkRefused(Exception):  # noqa: N818 - says what became of the link
    """A link that nobody here signed, or whose time is over (`expired`)."""

    def __init__(self, *, expired: bool) -> None:
        self.expired = expired
        super().__init__("expired" if expired else "not ours")


class Links:
    """Writes and reads links. The age is counted by our own clock from `issued_at`, so a link has one text for ever."""

    def __init__(self, public_url: str, secret_key: str, clock: Clock) -> None:
        self._public_url = public_url
        self._clock = clock
        self._secret_key = secret_key

    def url(self, link: Link) -> str:
        """The address that opens the page."""
        token = self._signer(link.page).dumps([link.userid, int(link.issued_at.timestamp())])
        return f"{self._public_url}/{link.page}/{token}"

    def read(self, page: str, token: str) -> Link:
        """What a token says. Raises LinkRefused."""
        try:
            userid, issued_at = self._signer(page).loads(token)
            link = Link.model_validate(
                {"page": page, "userid": userid, "issued_at": datetime.fromtimestamp(issued_at, UTC)}
            )
        except (BadData, ValueError, TypeError, OverflowError):
            raise LinkRefused(expired=False) from None
        if self._clock.now() - link.issued_at > LINK_LIFE:
            raise LinkRefused(expired=True)
        return link

    def _signer(self, page: str) -> URLSafeSerializer:
        """A salt per use: a token for one page opens no other."""
        return URLSafeSerializer(self._secret_key, salt=f"steward:{page}")
