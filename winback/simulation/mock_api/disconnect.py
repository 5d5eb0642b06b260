"""Closes a connection without a reply. ASGI has no event for that, so a protocol and a response agree on one."""

import asyncio
import contextlib

from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

_TRANSPORT = "winback.transport"


class DisconnectProtocol(H11Protocol):
    """Uvicorn's HTTP/1.1, whose requests have a reference to their connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as the parent has it
        """Pass the connection in the scope's state, which the parent copies into each request."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, _TRANSPORT: transport}


class Disconnect(Response):
    """Closes the connection; the client sees it break off without a byte of a reply."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Close, and wait until uvicorn has noticed: for an application that returns early, it would write a 500."""
        del send
        scope["state"][_TRANSPORT].abort()
        with contextlib.suppress(asyncio.CancelledError):
            while (await receive())["type"] != "http.disconnect":
                pass
