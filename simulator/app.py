"""The simulator as one ASGI application: the API under /cgi-bin/, OAuth, WeChat Pay, people's screens under /phone."""

from starlette.types import ASGIApp, Receive, Scope, Send

from simulator.api import http, oauth, pay
from simulator.phone import phone_app
from simulator.world import World


def create_app(world: World) -> ASGIApp:
    """For a server, or in process: `httpx2.AsyncClient(transport=httpx2.ASGITransport(app=create_app(world)))`."""
    phone = phone_app(world)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(http.PREFIX):
            await http.answer(world, scope, receive, send)
        elif scope["type"] == "http" and scope["path"].startswith(pay.PREFIX):
            await pay.answer(world, scope, receive, send)
        elif scope["type"] == "http" and scope["path"] in oauth.PREFIXES:
            await oauth.answer(world, scope, receive, send)
        else:
            await phone(scope, receive, send)

    return app
