"""The seam between the collector and the formats of shops."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from detectors.json_values import JsonObject
from storefronts.delivery import Delivery
from storefronts.setups import Cause
from storefronts.signatures import Signed
from worker.collector.privacy import Filed
from worker.collector.visits import Quarantined, Unplaced
from worker.collector.write_keys import WriteKey, WriteKeys


class Access(NamedTuple):
    """What the sender of a request can report."""

    key: WriteKey | None = None
    """The write key; None if the request is signed."""
    signed: Signed = "nothing"
    """How much of a request without a key is signed."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a request becomes."""

    events: Sequence[JsonObject | Unplaced | Quarantined | Filed]
    """In Winback's own format: docs/reference/events.md. Some need a session first, some are none, and some are privacy
    requests."""
    ignored: Sequence[str] = ()
    """The reasons why parts of the request became no events; without personal data."""
    problem: str = ""
    """Why the request can't be read at all; empty if it can."""


class RequestSource(Protocol):
    """One kind of sender."""

    @property
    def routes(self) -> Collection[str]:
        """The last parts of its paths, in small letters, where a path has several."""

    @property
    def has_key(self) -> bool:
        """Whether a request can have a write key. If not, it has to be signed."""

    def label(self, shop: str, body: bytes = b"") -> str:
        """Return the name under which a request is reported. There are as many as the settings have sources.

        Args:
            shop: The shop that the path names.
            body: What was received so far. Several senders can use one path.
        """

    def cause(self, delivery: Delivery) -> Cause:
        """Return why `access` returned None."""

    def access(self, delivery: Delivery, keys: WriteKeys) -> Access | None:
        """Return what the sender of a request can report; None for nothing."""

    def read(self, delivery: Delivery, access: Access) -> Reading:
        """Return what a request becomes. Never raises."""
