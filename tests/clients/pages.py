"""The pages of a shop in a browser: a server for them and for the SDKs that they load, and the shoppers in them."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit

from tests.clients.chromium import Page
from tests.clients.gateway import serving
from tests.clients.programs import INSTALLED, PLAYERS
from tests.clients.shoppers import Shopper
from tests.support.running_shop import until

PACKAGES = INSTALLED / "node" / "node_modules"
SEGMENT = PACKAGES / "@segment" / "analytics-next" / "dist" / "umd" / "index.js"
RUDDER = PACKAGES / "@rudderstack" / "analytics-js" / "dist" / "npm" / "modern" / "bundled" / "esm" / "index.mjs"
PAGE = """<!doctype html>
<html lang="es"><title>Shop</title>
<script>
const ahead = Number(new URLSearchParams(location.search).get("clock_s") ?? 0) * 1000;
if (ahead) {
  const Right = Date;
  window.Date = class extends Right {
    constructor(...given) { super(...(given.length ? given : [Right.now() + ahead])); }
    static now() { return Right.now() + ahead; }
  };
}
</script>
<script type="importmap">{"imports": {
  "@segment/analytics-next": "/segment.mjs",
  "@rudderstack/analytics-js/bundled": "/rudder.mjs"
}}</script>
<script src="/segment.js"></script>
<script type="module">
%s
window.analytics = analytics;
</script>
<script type="module" src="/player.mjs"></script>
"""
LEFT = "/left"
"""An empty page."""
FILES: Mapping[str, Callable[[], bytes]] = {
    "/segment.js": SEGMENT.read_bytes,
    # The SDK in one file is no module; a shop's bundler makes it one.
    "/segment.mjs": lambda: b"export const AnalyticsBrowser = window.AnalyticsNext.AnalyticsBrowser;",
    "/rudder.mjs": RUDDER.read_bytes,
    "/player.mjs": (PLAYERS / "page.mjs").read_bytes,
    LEFT: lambda: b" ",
}


def begin(page: Page, shopper: Shopper) -> None:
    """Let a shopper in a page begin what they do."""
    until(lambda: page.evaluate("typeof window.play === 'function'"), 120)
    page.evaluate(f"void window.play({json.dumps(shopper.steps)})")


def has_done(page: Page, shopper: Shopper) -> bool:
    return bool(page.evaluate(f"window.did === {len(shopper.steps)} || location.pathname === '{LEFT}'"))


@contextmanager
def served(pages: Mapping[str, str]) -> Iterator[int]:
    """Serve pages, by their path the code that sets up their SDK. Yield the port; any host of localhost has them."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            code, file = pages.get(path), FILES.get(path)
            body = (PAGE % code).encode() if code else file() if file else b""
            kind = "text/html; charset=utf-8" if code else "text/javascript"
            self.send_response(200 if body else 404)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with serving(Handler) as address:
        yield urlsplit(address).port or 0
