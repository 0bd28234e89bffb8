"""The QR pictures that the platform hands out, as PNG. Who has the address may see one, as with the real ones."""

import io

import segno
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator.codes import PICTURES
from simulator.world import World


def png(text: str) -> bytes:
    """A code that says `text`."""
    made = io.BytesIO()
    segno.make(text, error="m", micro=False).save(made, kind="png", scale=6, border=4)
    return made.getvalue()


def picture_route(world: World) -> Route:
    """`GET /wwhead/{code}`. A picture outlives its code; scanning it then says that it is no longer valid."""

    async def picture(request: Request) -> Response:
        if world.strikes("pictures_away"):
            return Response(status_code=502)
        return Response(png(world.codes.content(request.path_params["code"])), media_type="image/png")

    return Route(PICTURES + "{code}", picture, methods=["GET"])
