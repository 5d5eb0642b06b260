"""A person's answer about a channel, with its proof, read from a session's fields. Pure."""

import re

from detectors.session_fields import read_answer
from state.person_marks import Answer

_LONGEST_PROOF = 200
_MOMENT = re.compile(r"[0-9T:.,Z+\- /]{4,40}")
_PERSONAL = re.compile(r"@|(?:\d[\s().\-/]*){7}")
"""An e-mail address or a phone number."""


def answered(text: str, at_ms: int, given_at: str, source: str) -> Answer | None:
    """Return the answer that a stored field holds; None if it holds none. `at_ms`: Unix ms of its event."""
    said = read_answer(text)
    return None if said is None else Answer(said, at_ms, _moment(given_at), _place(source))


def _moment(text: str) -> str:
    return text.strip() if _MOMENT.fullmatch(text.strip()) else ""


def _place(text: str) -> str:
    """Return where a person answered, without the query of an address; empty if it names a person."""
    place = " ".join(text.partition("?")[0].split())[:_LONGEST_PROOF]
    return "" if _PERSONAL.search(place) else place
