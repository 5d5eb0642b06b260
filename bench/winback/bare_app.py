"""What the collector is compared with: an application that reads the body and answers."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


async def events(request: Request) -> JSONResponse:
    await request.body()
    return JSONResponse({"success": True})


app = Starlette(routes=[Route("/events", events, methods=["POST"])])
