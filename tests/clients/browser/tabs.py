"""Tabs of a shopper on the pages of a small shop with the browser snippet."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from tests.clients.chromium import Browser, Page
from tests.support.processes import until

STAGES = "/cart=cart_review, /checkout=checkout, /checkout/pay=payment, /help=none, /thanks=done"
PATHS = ("/", "/cart", "/checkout", "/checkout/pay", "/help", "/thanks")


class Tab(Page):
    """A tab in which a shopper clicks, navigates and goes back."""

    @classmethod
    def opened(cls, browser: Browser, url: str) -> "Tab":
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        tab = cls(browser, target, session)
        tab.goto(url)
        return tab

    def goto(self, url: str) -> None:
        """Go to an address as if the shopper wrote it."""
        answer = self._browser.call("Page.navigate", self._session, url=url)
        assert "errorText" not in answer, answer
        shown = f"document.readyState == 'complete' && location.href == {json.dumps(url)}"
        until(lambda: self.evaluate(shown))

    def click(self, selector: str) -> None:
        """Click an element with the mouse."""
        x, y = self.evaluate(
            f"(() => {{ const box = document.querySelector({json.dumps(selector)}).getBoundingClientRect();"
            " return [box.x + box.width / 2, box.y + box.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self._mouse(kind, x, y, button="left", clickCount=1)

    def move(self, x: int) -> None:
        """Move the mouse."""
        self._mouse("mouseMoved", x, 40)

    def back(self) -> None:
        """Press the browser's back button."""
        history = self._browser.call("Page.getNavigationHistory", self._session)
        entry = history["entries"][history["currentIndex"] - 1]["id"]
        self._browser.call("Page.navigateToHistoryEntry", self._session, entryId=entry)

    def kill(self) -> None:
        """Kill the process of the tab."""
        with suppress(AssertionError):  # it never answers
            self._browser.call("Page.crash", self._session, within_s=0.5)

    def _mouse(self, kind: str, x: float, y: float, **more: Any) -> None:  # noqa: ANN401 - the protocol's
        self._browser.call("Input.dispatchMouseEvent", self._session, type=kind, x=x, y=y, **more)


@contextmanager
def pages_of_shop(head: Callable[[str], str]) -> Iterator[str]:
    """Serve the pages of a shop; yield their address. `head`: a path → what is in the page's head."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            links = "".join(f'<a href="{each}" id="to{each.replace("/", "-")}">{each}</a> ' for each in PATHS)
            body = f"<!doctype html><title>{path}</title>{head(path)}<p>{links}<button id=b>.</button>".encode()
            self.send_response(200)
            self.send_header("content-type", "text/html; charset=utf-8")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:  # noqa: ANN401 - its own
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
