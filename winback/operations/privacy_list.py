"""Open privacy requests as rows for an operator. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from state.privacy_requests import PrivacyRequest
from worker.logs.masking import mask_identity, one_line
from worker.monitoring.finding import span

BY_IDS = "known by ids only"
_YOURS = {"shop erasure": "yours to do", "data request": "yours to answer"}


@dataclass(frozen=True, slots=True)
class RequestRow:
    """One open request."""

    id: str
    kind: str
    sender: str
    """Source and shop."""
    age: str
    person: str
    state: str

    @classmethod
    def of(cls, request: PrivacyRequest, now_ms: int, *, reveal: bool) -> "RequestRow":
        """Describe a request. Without `reveal`, the person is masked."""
        return cls(
            request.id,
            request.kind,
            one_line(" ".join(filter(None, (request.source, request.shop)))),
            span(max(0, now_ms - request.received_ms)),
            _person(request, reveal=reveal),
            _state(request),
        )


def document(request: PrivacyRequest, received: str, *, reveal: bool) -> Mapping[str, object]:
    """Return a request as JSON data."""
    return {
        "id": request.id,
        "kind": request.kind,
        "source": request.source,
        "shop": request.shop,
        "received": received,
        "people": list(_identities(request, reveal=reveal)),
        "failures": request.failures,
        "state": _state(request),
    }


def _person(request: PrivacyRequest, *, reveal: bool) -> str:
    if request.kind == "shop erasure":
        return "-"
    return ", ".join(_identities(request, reveal=reveal)) or ("can't be read" if request.unreadable else BY_IDS)


def _identities(request: PrivacyRequest, *, reveal: bool) -> Iterator[str]:
    for person in request.people:
        for name in ("phone_number", "email"):
            if text := person.get(name):
                yield one_line(text if reveal else mask_identity(text))


def _state(request: PrivacyRequest) -> str:
    if request.kind in _YOURS:
        return _YOURS[request.kind] if not request.unreadable else f"{_YOURS[request.kind]}; {request.unreadable}"
    if request.problem:
        times = "once" if request.failures == 1 else f"{request.failures:,} times"
        return f"failed {times}: {request.problem}"
    if request.erased_ms:
        return "carried out; again when all collectors have delivered their events"
    return "runs by itself"
