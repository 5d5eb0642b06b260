"""The channels on which a person can be contacted, and the choice among them. Pure.

A refusal belongs to the person: given in one session, it holds in all of them until they say yes themselves. So the
latest answer counts, from any session and any of their identities.
"""

from collections.abc import Mapping

from pydantic_core import to_json

from detectors.session_fields import CONSENT, read_answer
from state.channels import CHANNELS, Channel
from state.person_marks import ConsentAnswer


def answers(fields: Mapping[str, str], given: Mapping[Channel, ConsentAnswer]) -> dict[Channel, bool | None]:
    """Return the latest answer for each channel: the person's, else the session's; None without any."""
    return {
        channel: given[channel].allowed if channel in given else read_answer(fields.get(name, ""))
        for channel, name in CONSENT.items()
    }


def refused(fields: Mapping[str, str], given: Mapping[Channel, ConsentAnswer]) -> frozenset[Channel]:
    """Return the channels that the person refuses."""
    return frozenset(channel for channel, answer in answers(fields, given).items() if answer is False)


def allowed(
    fields: Mapping[str, str], given: Mapping[Channel, ConsentAnswer], *, must_be_given: bool
) -> frozenset[Channel]:
    """Return the channels that aren't refused and, if consent `must_be_given`, were allowed."""
    found = answers(fields, given).items()
    return frozenset(channel for channel, answer in found if answer or (answer is None and not must_be_given))


def channels_of(preferred: str) -> frozenset[Channel]:
    """Return the channels that a request for `call`, `whatsapp` or `auto` can use."""
    return frozenset(channel for channel in CHANNELS if preferred in {channel, "auto"})


def choose(wanted: str, may: frozenset[Channel]) -> str:
    """Return the channel to request: the wanted one if all channels are allowed, else the only allowed one.

    `wanted` is `call`, `whatsapp` or `auto`; at least one channel is allowed.
    """
    return wanted if len(may) == len(CHANNELS) else next(iter(may))


def proof(given: Mapping[Channel, ConsentAnswer], used: frozenset[Channel]) -> str:
    """Return the answers on which a contact on these channels rests, as JSON without personal data; empty for none."""
    found = {
        channel: {
            "allowed": answer.allowed,
            "at_ms": answer.at_ms,
            "given_at": answer.given_at,
            "source": answer.source,
        }
        for channel, answer in sorted(given.items())
        if channel in used
    }
    return to_json(found).decode() if found else ""
