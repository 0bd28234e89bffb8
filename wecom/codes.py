"""What the platform says of the codes that it made for us. Making them is a command (wecom/commands.py)."""

from rules.value import Value
from wecom.errors import BAD_ANSWER, PlatformError
from wecom.gateway import Gateway


class JoinWay(Value):
    """A code as the platform has it. `chat_ids`: also of groups that it made by itself, perhaps [NV]."""

    config_id: str
    chat_ids: tuple[str, ...]
    state: str
    auto_create_room: bool
    room_base_name: str
    room_base_id: int
    qr_code: str


async def read_join_way(gateway: Gateway, config_id: str) -> JoinWay | None:
    """groupchat/get_join_way (page 99547). None where there is none such (any more): which errcode says so is [NV].

    Raises PlatformError.
    """
    path = "externalcontact/groupchat/get_join_way"
    try:
        answer = await gateway.post(path, {"config_id": config_id}, reads=True)
    except PlatformError as error:
        if error.treatment == "refused":
            return None
        raise
    try:
        way = answer["join_way"]
        return JoinWay(
            config_id=way["config_id"],
            chat_ids=tuple(str(each) for each in way.get("chat_id_list") or ()),
            state=way.get("state") or "",
            auto_create_room=bool(way.get("auto_create_room")),
            room_base_name=way.get("room_base_name") or "",
            room_base_id=int(way.get("room_base_id") or 1),
            qr_code=way.get("qr_code") or "",
        )
    except (KeyError, TypeError, ValueError):
        raise PlatformError(BAD_ANSWER, path) from None
