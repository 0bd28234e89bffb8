"""The simulator as one ASGI application: the API under /cgi-bin/, people's screens under /phone."""

from starlette.types import ASGIApp, Receive, Scope, Send

from simulator.api import http
from simulator.phone import phone_app
from simulator.world import World


def create_app(world: World) -> ASGIApp:
    """For a server, or in process: `httpx2.AsyncClient(transport=httpx2.ASGITransport(app=create_app(world)))`."""
    phone = phone_app(world)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(http.PREFIX):
            await http.answer(world, scope, receive, send)
        else:
            await phone(scope, receive, send)

    return app
