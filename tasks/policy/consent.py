"""Which channels a person may be contacted by, and which of them is chosen. Pure.

A refusal belongs to the person: it was said in one session and holds in all of them, until they say yes themselves. So
the latest answer counts, in whichever session and under whichever identity it was given.
"""

import re
from collections.abc import Mapping

from pydantic_core import to_json

from state.person_marks import CHANNELS, Answer, Channel

FIELDS: dict[Channel, str] = {channel: f"consent.{channel}" for channel in CHANNELS}
"""Stored field of a session for each channel: `true`, `false`, or empty."""
GIVEN_AT, SOURCE = "consent.given_at", "consent.source"
_LONGEST_PROOF = 200
_MOMENT = re.compile(r"[0-9T:.,Z+\- /]{4,40}")
_PERSONAL = re.compile(r"@|(?:\d[\s().\-/]*){7}")
"""What looks like an address or a phone number."""


def read_answer(text: str) -> bool | None:
    """Read what a session keeps of an answer: whether it was a yes; None: there is none."""
    return None if not text else text == "true"


def answers(fields: Mapping[str, str], said: Mapping[Channel, Answer]) -> dict[Channel, bool | None]:
    """Return the latest answer for each channel: the person's, else the session's; None where there is none."""
    return {
        channel: said[channel].allowed if channel in said else read_answer(fields.get(name, ""))
        for channel, name in FIELDS.items()
    }


def refused(fields: Mapping[str, str], said: Mapping[Channel, Answer]) -> frozenset[Channel]:
    """Return the channels that the person does not want to be contacted by."""
    return frozenset(channel for channel, answer in answers(fields, said).items() if answer is False)


def allowed(fields: Mapping[str, str], said: Mapping[Channel, Answer], *, must_be_given: bool) -> frozenset[Channel]:
    """Return the channels that are not refused and, where consent `must_be_given`, were allowed."""
    found = answers(fields, said).items()
    return frozenset(channel for channel, answer in found if answer or (answer is None and not must_be_given))


def channels_of(preferred: str) -> frozenset[Channel]:
    """Return the channels that a request may use which asks for `call`, `whatsapp` or `auto`."""
    return frozenset(channel for channel in CHANNELS if preferred in {channel, "auto"})


def choose(wanted: str, may: frozenset[Channel]) -> str:
    """Return the channel to ask for: what is wanted if all channels may be used, else the only one that may.

    `wanted` is `call`, `whatsapp` or `auto`; at least one channel may be used.
    """
    return wanted if len(may) == len(CHANNELS) else next(iter(may))


def answered(text: str, at_ms: int, given_at: str, source: str) -> Answer | None:
    """Return the answer that a stored field holds, with its proof; None when it holds none. `at_ms`: of its event."""
    said = read_answer(text)
    return None if said is None else Answer(said, at_ms, _moment(given_at), _place(source))


def proof(said: Mapping[Channel, Answer], used: frozenset[Channel]) -> str:
    """Return the answers on which a contact by these channels rests, as JSON without personal data; empty for none."""
    found = {
        channel: {
            "allowed": answer.allowed,
            "at_ms": answer.at_ms,
            "given_at": answer.given_at,
            "source": answer.source,
        }
        for channel, answer in sorted(said.items())
        if channel in used
    }
    return to_json(found).decode() if found else ""


def _moment(text: str) -> str:
    return text.strip() if _MOMENT.fullmatch(text.strip()) else ""


def _place(text: str) -> str:
    """Return where a person answered. The query of an address may hold anything; what names a person is left out."""
    place = " ".join(text.partition("?")[0].split())[:_LONGEST_PROOF]
    return "" if _PERSONAL.search(place) else place
