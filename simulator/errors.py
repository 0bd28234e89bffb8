"""How the platform says no, and how people find that something cannot be done."""

# errcode → errmsg as the platform words it (pages 90313, 96213). Callers branch on the code only (page 90455).
MESSAGES: dict[int, str] = {
    -1: "system busy",
    40001: "invalid credential",
    40004: "invalid media type",
    40005: "invalid type of file",
    40006: "invalid media size",
    40007: "invalid media id",
    40008: "invalid message type",
    40013: "invalid corpid",
    40014: "invalid access_token",
    40029: "invalid oauth code",
    40031: "invalid userid list",
    40032: "invalid userid list size",
    40056: "invalid agentid",
    40058: "invalid Request Parameter",
    40063: "some parameters are empty",
    40066: "invalid url",
    40068: "invalid tagid",
    40071: "the name of the tag is there already",
    40072: "the name of the tag is too long",
    40096: "invalid external userid",
    40125: "invalid appsecret",
    40163: "code been used",
    41001: "access_token missing",
    41002: "corpid missing",
    41004: "corpsecret missing",
    41035: "missing external userid",
    41048: "no customer to send to",
    41063: "the message is being dispatched",
    41065: "invalid attachment type",
    41050: "invalid welcome code",
    41051: "externaluser has started chatting",
    41096: "another app is sending the welcome message",
    41054: "user has no customer contact permission, or is not activated",
    42001: "access_token expired",
    42014: "invalid task_id",
    42015: "agentid does not match the sender of the card",
    42016: "task_id not exist",
    42017: "button key is not exist",
    42018: "invalid button key",
    42019: "button key missing",
    42020: "button name missing",
    42022: "code has been used",
    42045: "missing or invalid Template_Card.card_action",
    43001: "require GET method",
    43002: "require POST method",
    44001: "empty media data",
    44004: "text content is empty",
    45002: "content size out of limit",
    45009: "api freq out of limit",
    45029: "too many of them",
    45033: "api concurrent out of limit",
    47001: "data format error",
    48002: "api forbidden",
    60011: "no privilege to access/modify contact/party/agent",
    60020: "not allow to access from your ip",
    60111: "userid not found",
    81013: "user & party & tag all invalid",
    81017: "too many users in the visible range, use owner_filter",
    84061: "not external contact",
    84083: "user has no customer contact permission",
    90501: "chat is not an external group",
    90502: "the owner of the chat has left",
    90503: "the chat is full",
    90504: "the owner is the same",
    90505: "the chat has been transferred too often",
    301002: "not allow operate another agent with this accesstoken",
}


class ApiError(Exception):
    """An endpoint refuses: the answer is `{"errcode": …, "errmsg": …}` with HTTP 200, as the platform does."""

    def __init__(self, errcode: int, detail: str = "") -> None:
        self.errcode = errcode
        self.errmsg = MESSAGES[errcode] + (f", {detail}" if detail else "")
        super().__init__(f"{errcode} {self.errmsg}")


class ImpossibleError(ValueError):
    """A person tried something the client does not offer them. The text is Chinese: `/phone` shows it."""
