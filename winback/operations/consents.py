"""A person's stored answers to the question for consent, with their proof. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from state.session_record import Session

CHANNELS = ("call", "whatsapp")
_LINKED = "linked."
_AT_WIDTH = 15
_ALLOWED = "a"


@dataclass(frozen=True, slots=True)
class ConsentRecord:
    """One answer."""

    channel: str
    allowed: bool
    at_ms: int = 0
    """Time of its event (Unix ms); 0: unknown."""
    given_at: str = ""
    """The time of the answer, as the shop wrote it."""
    source: str = ""
    """The place of the answer, as the shop wrote it."""
    session: str = ""
    """The session that holds it, if the person's own record doesn't."""


def latest(stored: Iterable[Mapping[str, str]]) -> dict[str, ConsentRecord]:
    """Return the latest answer for each channel, across all identities; of two at the same time, the refusal."""
    found: dict[str, str] = {}
    for answers in stored:
        for name, text in answers.items():
            channel = name.removeprefix(_LINKED)
            found[channel] = max(text, found.get(channel, ""))
    return {channel: _read(channel, text) for channel, text in sorted(found.items())}


def of_session(session: Session) -> Iterator[ConsentRecord]:
    """Return the answers in a session."""
    fields = session.fields
    for channel in CHANNELS:
        if stated := fields.get(f"consent.{channel}"):
            given_at, source = fields.get("consent.given_at", ""), fields.get("consent.source", "")
            yield ConsentRecord(channel, stated == "true", 0, given_at, source, session.session_id)


def _read(channel: str, text: str) -> ConsentRecord:
    """Read 15 digits of the time (ms), `a` or `r`, the time of the answer, a tab, and the place."""
    given_at, _, source = text[_AT_WIDTH + 1 :].partition("\t")
    return ConsentRecord(channel, text[_AT_WIDTH : _AT_WIDTH + 1] == _ALLOWED, int(text[:_AT_WIDTH]), given_at, source)
