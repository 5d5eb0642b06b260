"""Serves the browser snippet `winback.js`, which a shop can also copy to its own static files."""

import gzip
import hashlib
from importlib.resources import files

from starlette.types import Receive, Scope, Send

PATH = "/winback.js"
_HOUR = b"public, max-age=3600"
_HEADERS = [
    (b"content-type", b"text/javascript; charset=utf-8"),
    (b"cache-control", _HOUR),
    (b"access-control-allow-origin", b"*"),
    (b"cross-origin-resource-policy", b"cross-origin"),
    (b"x-content-type-options", b"nosniff"),
    (b"vary", b"Accept-Encoding"),
]


def source() -> str:
    """Return the snippet with its comments."""
    return (files("worker.collector") / "browser" / "winback.js").read_text(encoding="utf-8")


def compact(text: str) -> bytes:
    """Return a script without indentation and without lines that hold only a comment."""
    lines = (line.strip() for line in text.splitlines())
    return "".join(f"{line}\n" for line in lines if line and not line.startswith("//")).encode()


class Snippet:
    """Answers with the snippet. Browsers keep it for an hour."""

    def __init__(self) -> None:
        self.plain = compact(source())
        self.zipped = gzip.compress(self.plain, 9, mtime=0)
        self._etag = f'"{hashlib.sha256(self.plain).hexdigest()[:16]}"'.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; 304 if the browser has this version."""
        del receive
        asked = dict(scope["headers"])
        headers = [*_HEADERS, (b"etag", self._etag)]
        if self._etag in asked.get(b"if-none-match", b""):
            await _send(send, 304, headers, b"")
            return
        body = self.plain
        if b"gzip" in asked.get(b"accept-encoding", b""):
            body = self.zipped
            headers.append((b"content-encoding", b"gzip"))
        headers.append((b"content-length", b"%d" % len(body)))
        await _send(send, 200, headers, b"" if scope["method"] == "HEAD" else body)


async def _send(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
