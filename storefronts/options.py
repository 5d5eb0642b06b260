"""What a shop's operator decides about a source."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Channel = Literal["call", "whatsapp"]


@dataclass(frozen=True, slots=True)
class Options:
    """Settings of a source. The defaults assume nothing: no consent, no step and no page has a meaning of its own."""

    consent: Mapping[Channel, str] = field(default_factory=dict)
    """The field that means consent for a channel, as a dotted path in the source's own body. A list of
    `{"key": ..., "value": ...}` objects is read by its keys: `meta_data.call_consent`."""
    payment_step: int | None = None
    """The number of the checkout's step that takes the payment (Segment, RudderStack)."""
    checkout_paths: tuple[str, ...] = ()
    """Beginnings of the paths of the checkout's pages, such as `/checkout` (Segment, RudderStack, GA4, pixel)."""

    def is_checkout(self, path: str) -> bool:
        """Whether a page with this path belongs to the checkout."""
        return path.startswith(self.checkout_paths)


NO_OPTIONS = Options()
