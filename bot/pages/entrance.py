"""`/e/{name}`: what a printed code opens. It says in which group somebody has a place, and shows the code to join it.

Nothing on it needs a script, and nothing is loaded from another host. Opening, going back and loading again are the
same: one person has one place. While a page is open it looks again by itself, which also keeps the place.

`/entrance/{token}`: the link in a contact's welcome. It leads to the same page; who opens it is asked all the same,
because links are passed on.
"""

from dataclasses import dataclass
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import Response
from loguru import logger

from bot.links import LinkRefused
from bot.pages.codes import channel_of, shown
from bot.pages.network import network
from bot.pages.page import Refused, apologise, show
from bot.pages.throttle import Throttle
from bot.pages.visitor import Front, redirect, turned_away, who_is_there
from bot.pictures import Pictures
from handlers import entrance as handler
from handlers import stock
from rules.entrances import Door, Entrance
from rules.events import EntranceScanned
from store import entrances, trace
from store import waiting as lines
from store.database import Clash, StoreUnavailable

_TRIES = 5  # where two transactions stood in each other's way
SOON, SLOW, RARELY = 3, 10, 120  # seconds until a page looks again
PATIENCE = 10  # looks, after which a code that is being made takes longer than usual
_AGAIN: dict[str, int] = {"preparing": SOON, "code": RARELY, "waiting": RARELY, "add_staff": RARELY, "full": RARELY}


@dataclass(frozen=True)
class Way:
    """One look at an entrance. `looks`: how often this page has looked again by itself."""

    entrance: Entrance
    channel: str
    looks: int

    def again(self) -> str:
        """The address, relative to this one, of the next look."""
        said = {"from": self.channel} if self.channel else {}
        return f"?{urlencode({**said, 'r': min(self.looks + 1, 999)})}"


def entrance_page(front: Front, pictures: Pictures, crowd: Throttle) -> APIRouter:
    """Both addresses. `crowd`: how often one network may ask: a shop, or the customers of a carrier, are behind one."""
    router = APIRouter()

    @router.get("/e/{name}")
    async def look(request: Request, name: str) -> Response:
        try:
            if not crowd.allows(network(request)):
                raise Refused(429, "crowded")
            entrance = front.desk.rules.book.entrance(name)
            if entrance is None:
                raise Refused(404, "no_entrance")
            return await _look(front, pictures, request, Way(entrance, channel_of(request), _looks(request)))
        except Refused as refused:
            return apologise(refused)
        except StoreUnavailable as error:
            logger.error("the database is not available for an entrance: {}", error)
            return apologise(Refused(503, "away"))

    @router.get("/entrance/{token}")
    async def by_link(request: Request, token: str) -> Response:
        try:
            if not crowd.allows(network(request)):
                raise Refused(429, "crowded")
            link = front.desk.links.read("entrance", token)
        except Refused as refused:
            return apologise(refused)
        except LinkRefused as refused:
            return apologise(Refused(410, "entrance_expired") if refused.expired else Refused(403, "forged"))
        # Asked anew who they are: a moment ago, before staff had added them, WeCom would not say.
        return redirect(f"{front.desk.links.public_url}/login/again?{urlencode({'to': f'/e/{link.entrance}'})}")

    return router


def _looks(request: Request) -> int:
    said = request.query_params.get("r", "")
    return int(said) if said.isascii() and said.isdigit() and len(said) < 4 else 0


async def _look(front: Front, pictures: Pictures, request: Request, way: Way) -> Response:
    who = await who_is_there(front, request)
    if isinstance(who, Response):
        return who
    if who.kind == "staff":
        return await _for_staff(front, way)
    if who.kind != "customer":
        channel = f"?from={way.channel}" if way.channel else ""
        return turned_away(front, who, f"/e/{way.entrance.name}/qr.png{channel}")
    if not front.desk.guests.allows(f"entrance:{who.visitor_id}"):
        raise Refused(429, "busy")
    door = await _door(front, who.visitor_id, way)
    return await _show(front, pictures, door, way)


async def _door(front: Front, visitor_id: int, way: Way) -> Door:
    """Scan, or only look again. Raises Refused and StoreUnavailable."""
    desk, name = front.desk, way.entrance.name
    for tries_left in reversed(range(_TRIES)):
        now = desk.clock.now()
        try:
            if way.looks:
                async with desk.store.write() as tx:
                    door = await handler.door_for(tx, desk.rules.book, name, visitor_id, now)
                if door.show not in ("full", "closed"):
                    return door
            event = EntranceScanned(at=now, entrance=name, visitor_id=visitor_id, channel=way.channel)
            seen = handler.Seen()
            if way.entrance.looks_at_tags:
                seen = await handler.look_up(event, front.wecom, desk.store, now)
            async with desk.store.write() as tx:
                decisions = await handler.handle(event, seen, tx, desk.rules.book, now)
                if decisions:
                    config = desk.rules.config
                    await trace.write(
                        tx, decisions, inbox_id=None, event=event.kind, chat_id=None, config=config, now=now
                    )
                door = await handler.door_for(tx, desk.rules.book, name, visitor_id, now)
        except Clash as clash:
            if not tries_left:
                logger.warning("at entrance {} too many stood in each other's way: {}", name, clash)
                raise Refused(503, "away") from None
            continue
        desk.wake()
        return door
    raise AssertionError("unreachable")


async def _show(front: Front, pictures: Pictures, door: Door, way: Way) -> Response:
    picture = ""
    if door.show in ("code", "add_staff"):
        taken = await pictures.take(door.qr_code if door.show == "code" else door.add_staff)
        if taken is None:  # rather no picture than one that does not load: look again, it is fetched anew
            door = door.model_copy(update={"show": "preparing"})
        else:
            picture = shown(front.desk, taken)
    after, press = _AGAIN.get(door.show, 0), way.again()
    if door.show == "add_staff":  # likewise
        channel = f"?{urlencode({'from': way.channel})}" if way.channel else ""
        press = f"../login/again?{urlencode({'to': f'/e/{way.entrance.name}{channel}'})}"
    late = door.show == "preparing" and way.looks >= PATIENCE
    return show(
        "entrance.html",
        410 if door.show == "closed" else 200,
        door=door,
        title=way.entrance.title,
        elsewhere=door.entrance not in ("", way.entrance.name),
        picture=picture,
        after=SLOW if late else after,
        late=late,
        again=way.again(),
        press=press,
    )


async def _for_staff(front: Front, way: Way) -> Response:
    """Numbers, and the pictures to print."""
    desk, entrance = front.desk, way.entrance
    async with desk.store.read() as tx:
        stocks = await stock.stocks_of(tx, desk.rules.book, now=desk.clock.now())
        waiting = await lines.lengths(tx)
        channels = await entrances.channels(tx, entrance.name)
    return show(
        "entrance_staff.html",
        entrance=entrance,
        via=_VIA[entrance.via],
        stocks=[(target, found) for each, target, found in stocks if each.name == entrance.name],
        waiting=waiting,
        channels=sorted(channels.items(), key=lambda each: -each[1])[:MOST_CHANNELS],
    )


_VIA = {"page": "打开页面进群", "contact": "先加导购再进群", "native": "企业微信自己的群码"}
MOST_CHANNELS = 20
