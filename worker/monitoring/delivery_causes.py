"""Why collectors refused requests, in words for the person that connects a sender. Pure."""

from collections.abc import Mapping
from typing import NamedTuple

from storefronts.setups import SETUPS, Cause, Setup


class Explained(NamedTuple):
    """A cause, and the fix."""

    text: str
    hint: str


_TEXTS: Mapping[Cause, Explained] = {
    "no_key": Explained(
        "the request names no write key",
        "send the key as user name of Basic, as Bearer token, or as writeKey in the URL or the body",
    ),
    "unknown_key": Explained(
        "the collector doesn't have the write key",
        "compare it with collect.server_keys and collect.public_keys; restart the collector after a change",
    ),
    "unknown_shop": Explained(
        "{setting} doesn't have the shop in the path", "compare the spelling; restart the collector after a change"
    ),
    "no_secret": Explained("{setting} has no secret", "set it, and restart the collector"),
    "no_signature": Explained(
        "the header {header} is missing", "switch signing on, or change the proxy that removes the header"
    ),
    "old_signature": Explained("its signed time is more than five minutes off", "check the clocks of both machines"),
    "wrong_signature": Explained(
        "the signature in {header} doesn't match a secret in {setting}", "usual cause: {usual}"
    ),
}
_UNKNOWN = Setup("", "")


def explained(source: str, cause: str) -> Explained:
    """Return the meaning of a cause. `source`: as a delivery has it, such as `shopify/shop-a`."""
    setup = SETUPS.get(source.partition("/")[0], _UNKNOWN)
    found = next((known for name, known in _TEXTS.items() if name == cause), None)
    if found is None:
        return Explained(f"the answer was {cause}", "see the answers in the guide Accept events over HTTP")
    words = {
        "setting": setup.setting or "collect.server_keys",
        "header": setup.header or "of the signature",
        "usual": setup.usual_cause or "the secret differs, or a proxy changed the body",
    }
    return Explained(*(text.format(**words) for text in found))
