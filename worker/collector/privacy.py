"""Privacy requests on their way into Redis: lines of their own form, in the order of all lines, also in the spool."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from pydantic_core import from_json, to_json

from detectors.json_values import JsonObject
from state.privacy_requests import Filing, Kind, PrivacyRequests
from state.visitors import Visitors
from storefronts.results import DataRequest, Erasure
from worker.collector.visits import is_user

MARK = b"!"
"""The first byte of a line that holds a privacy request."""
_FIELDS = ("phone_number", "email", "country_code")

log = structlog.stdlib.get_logger("winback.collector")


@dataclass(frozen=True, slots=True)
class Filed:
    """A privacy request that isn't stored yet. Until then a line holds it in clear text."""

    words: JsonObject

    def line(self) -> bytes:
        """Return it as a line, which has no line break in it."""
        return MARK + to_json(self.words, inf_nan_mode="null")


def filed(part: Erasure | DataRequest, *, source: str, shop: str, scope: str, received: datetime) -> Filed:
    """Return a request that is to be stored. `scope`: within what its ids are unique, such as a shop."""
    kind: Kind = "data request" if isinstance(part, DataRequest) else "erasure"
    if isinstance(part, Erasure) and part.shop:
        kind = "shop erasure"
    ids = part.visitor.ids
    return Filed(
        {
            "kind": kind,
            "source": source,
            "shop": shop,
            "at": int(received.timestamp() * 1000),
            "dedupe_key": part.dedupe_key or "",
            "people": [{name: one[name] for name in _FIELDS if one.get(name)} for one in part.people],
            "visitors": [f"{scope}:{one.kind}:{one.value}" for one in ids if not is_user(one)],
            "users": [f"{scope}:{one.kind}:{one.value}" for one in ids if is_user(one)],
            "ids": [f"{scope}:{alias.key}" for alias in part.visitor.aliases],
        }
    )


class Filer:
    """Stores the privacy requests among lines."""

    def __init__(self, requests: PrivacyRequests, visitors: Visitors) -> None:
        self._requests = requests
        self._visitors = visitors

    def file(self, lines: Sequence[bytes]) -> None:
        """Store requests, and log each new one without the person.

        Raises:
            StateError: Some may not be stored; file all again.
        """
        filings = [self._filing(from_json(line[len(MARK) :])) for line in lines]
        for request, filing in zip(self._requests.file(filings), filings, strict=True):
            if request:
                _log(filing, request)

    def _filing(self, words: JsonObject) -> Filing:
        return Filing(
            kind=words["kind"],
            source=words["source"],
            shop=words["shop"],
            received_ms=words["at"],
            dedupe_key=words["dedupe_key"],
            people=words["people"],
            visitors=self._visitors.names(visitors=words["visitors"], users=words["users"], ids=words["ids"]),
        )


def _log(filing: Filing, request: str) -> None:
    if filing.kind == "erasure":
        log.info("erasure_requested", request=request, source=filing.source, shop=filing.shop or None)
        return
    hint = "winback collect requests lists it until you mark it as done"
    log.warning(
        "privacy_request", kind=filing.kind, request=request, source=filing.source, shop=filing.shop or None, hint=hint
    )
