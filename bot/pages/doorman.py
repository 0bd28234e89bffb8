"""In front of every page: so many requests a minute from one network, whatever they ask for.

Pages have limits of their own for what costs more (bot/wiring.py); this one stops a loop before it reaches them.
"""

from fastapi import Request
from fastapi.responses import HTMLResponse

from bot.callback import AsgiApp, Receive, Scope, Send
from bot.pages.network import network
from bot.pages.throttle import Throttle

_BUSY = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>人太多了</title></head><body><h1>人太多了</h1><p>请过一分钟再打开。</p></body></html>
"""


class Doorman:
    """Middleware. `crowd`: how often one network may ask; a mall, or the customers of a carrier, are behind one."""

    def __init__(self, app: AsgiApp, crowd: Throttle) -> None:
        self._app = app
        self._crowd = crowd

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self._crowd.allows(network(Request(scope))):
            busy = HTMLResponse(_BUSY, 429, {"retry-after": "60", "cache-control": "no-store"})
            await busy(scope, receive, send)
            return
        await self._app(scope, receive, send)
