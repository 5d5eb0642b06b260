"""Which channels a person may be contacted by, and which of them is chosen. Pure."""

from collections.abc import Mapping
from typing import Literal

Channel = Literal["call", "whatsapp"]
CHANNELS: tuple[Channel, ...] = ("call", "whatsapp")


def allowed(fields: Mapping[str, str], *, must_be_given: bool) -> frozenset[Channel]:
    """Return the channels that are not refused and, where consent `must_be_given`, were allowed."""
    answers = {channel: fields.get(f"consent.{channel}", "") for channel in CHANNELS}
    return frozenset(c for c in CHANNELS if answers[c] == "true" or (answers[c] != "false" and not must_be_given))


def choose(wanted: str, may: frozenset[Channel]) -> str:
    """Return the channel to ask for: what is wanted if all channels may be used, else the only one that may.

    `wanted` is `call`, `whatsapp` or `auto`; at least one channel may be used.
    """
    return wanted if len(may) == len(CHANNELS) else next(iter(may))
