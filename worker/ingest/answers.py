"""A person's answers to the question for consent, with their proof: from an event, or from a session's fields. Pure."""

import re
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from detectors.activity import Consent
from detectors.sequence import occurred_ms
from detectors.session_fields import CONSENT, GIVEN_AT, SOURCE, read_answer
from state.channels import CHANNELS, Channel
from state.person_marks import ConsentAnswer
from state.sessions import Mark

_LONGEST_PROOF = 200
_MOMENT = re.compile(r"[0-9T:.,Z+\- /]{4,40}")
_PERSONAL = re.compile(r"@|(?:\d[\s().\-/]*){7}")
"""An e-mail address or a phone number."""


class EventAnswer(NamedTuple):
    """An answer in an event that names the customer."""

    identity: str
    channel: Channel
    stated: Literal["yes", "no"]
    at_ms: int
    """When the event occurred (Unix ms)."""
    given_at: str
    source: str
    """`given_at` and `source` are the proof as the shop wrote it; empty if it wrote none."""


def answers_of_event(
    consent: Consent, meant: Sequence[str], surely: Sequence[str], at_ms: int
) -> Iterator[EventAnswer]:
    """Yield the answers in an event. A no counts for all `meant` identities, a yes only for the `surely` meant ones."""
    for channel in CHANNELS:
        answer = getattr(consent, channel)
        if answer is not None:
            for identity in surely if answer else meant:
                word: Literal["yes", "no"] = "yes" if answer else "no"
                yield EventAnswer(identity, channel, word, at_ms, consent.given_at or "", consent.source or "")


def answers_of_session(mark: Mark) -> dict[Channel, ConsentAnswer]:
    """Return the answers of a session's person. A proof counts for the answers of the same event."""
    found: dict[Channel, ConsentAnswer] = {}
    given_at, source = mark.answers.get(GIVEN_AT, (0, "")), mark.answers.get(SOURCE, (0, ""))
    for channel, name in CONSENT.items():
        stamp, text = mark.answers.get(name, (0, ""))
        proofs = [answer if at == stamp else "" for at, answer in (given_at, source)]
        answer = answered(text, occurred_ms(stamp), *proofs)
        if answer:
            found[channel] = answer
    return found


def answered(text: str, at_ms: int, given_at: str, source: str) -> ConsentAnswer | None:
    """Return the answer in a stored field; None if there is none. `at_ms`: time of its event (Unix ms)."""
    answer = read_answer(text)
    return None if answer is None else ConsentAnswer(answer, at_ms, _moment(given_at), _place(source))


def _moment(text: str) -> str:
    return text.strip() if _MOMENT.fullmatch(text.strip()) else ""


def _place(text: str) -> str:
    """Return the place of the answer without a URL's query; empty if it contains personal data."""
    place = " ".join(text.partition("?")[0].split())[:_LONGEST_PROOF]
    return "" if _PERSONAL.search(place) else place
