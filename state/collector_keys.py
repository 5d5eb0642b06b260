"""The keys of collectors, and the prefixes that they share with others. See `state.keys`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CollectorKeys:
    """The names of these keys under one namespace."""

    namespace: str = "winback"

    @property
    def control(self) -> str:
        """Prefix of the keys that can block all sending.

        `sending` is a hash, `daily_contacts:<day>` a hash of outreach → token (2 days), and `last_erasure` a text.
        `gaps` is a sorted set: end of a time without orders → its beginning (30 days).
        """
        return f"{self.namespace}:{{control}}:"

    @property
    def collectors(self) -> str:
        """Hash: collector → up to when its events are in a stream (ms), when it was seen last, figures (7 days)."""
        return f"{self.control}collectors"

    @property
    def deliveries(self) -> str:
        """Hash: last accepted request and refused requests of each source that a collector has (30 days).

        `SOURCE accepted`: when (ms), and what it became; `SOURCE refused`: the last and the first time (ms), the
        number, and the cause of the last one.
        """
        return f"{self.control}deliveries"

    def source(self, source: str) -> str:
        """Prefix of the visitors of a source without session ids. All keys expire 7 days after the last event.

        Ids of the source are kept as keyed hashes. Under it:

        - `visitor:VISITOR`: hash, the visitor's session, last place in the flow, last order (ms) and its session;
          until a session begins, also fields of the customer
        - `user:USER`: text, the visitor that was last seen with that user
        - `alias:ID`: text, the session of a cart, checkout or order
        """
        return f"{self.namespace}:{{source:{source}}}:"
