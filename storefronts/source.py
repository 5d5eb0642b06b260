"""A source: one kind of sender."""

from collections.abc import Callable
from dataclasses import dataclass

from storefronts.delivery import Delivery
from storefronts.options import NO_OPTIONS, Options
from storefronts.results import Result
from storefronts.signatures import Scheme

Read = Callable[[Delivery, Options], Result]


@dataclass(frozen=True, slots=True)
class Source:
    """How requests of one kind of sender are verified and read."""

    name: str
    """The first part of the path, in the settings and on the screens."""
    read: Read
    """Return what a request becomes. Never raises: what can't be read is ignored with the reason."""
    verify: Scheme | None = None
    """How a request is signed. None: it has a write key instead."""
    takes_key: bool = False
    """Whether a write key counts in place of a signature."""
    name_of: Callable[[bytes], str] | None = None
    """Return the name of the sender of a body, if several senders use one path. Never raises."""
    has_own_events: bool = False
    """Whether its events are in Winback's own form, in an envelope or without one."""

    @property
    def has_key(self) -> bool:
        """Whether a request can have a write key."""
        return self.verify is None or self.takes_key

    def result(self, delivery: Delivery, options: Options = NO_OPTIONS) -> Result:
        """Return what a request becomes. It must be verified before."""
        return self.read(delivery, options)
