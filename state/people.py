"""People: who bought, who opted out, who is reserved for a contact. A person is an HMAC; no number is in any key."""

import hmac
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal, NamedTuple

from state.keys import SESSION_TTL_MS, Keys
from state.scripts import Scripts, translated

Reservation = Literal["reserved", "not_replicated", "bought", "opted_out", "lost", "held", "capped"]
MOST_SESSIONS = 50
"""So many sessions of one person are remembered, the latest: a number that everybody gives must not grow for ever."""


def person_of(phone_e164: str, secret: bytes) -> str:
    """Return who a phone number belongs to: its HMAC-SHA256 under the identity secret, as 64 hexadecimal digits."""
    return hmac.digest(secret, phone_e164.encode(), sha256).hex()


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a person, read without changing anything."""

    bought: bool = False
    opted_out: bool = False
    reserved_by: str = ""
    """Outreach that holds the person; empty when nobody does."""
    reserved_at_ms: int = 0
    sessions: tuple[str, ...] = ()
    """Sessions in which the person was named, the latest last."""


class Lead(NamedTuple):
    """What leads a person's orders to an outreach that is about to reach them."""

    worth: str
    """What its cart is worth, as `state.attribution.Money` writes it; empty when that is not known."""
    kept_ms: int
    """How long it is remembered."""
    taken_ms: int
    """When the outreach was taken (Unix ms): of who was forgotten since, nothing is remembered."""


class People:
    """The state of all people. `cap_ms`: for how long a contact is remembered, and excludes others if not told."""

    def __init__(self, scripts: Scripts, keys: Keys, *, cap_ms: int, lease_ms: int, bought_window_ms: int) -> None:
        self._scripts = scripts
        self._keys = keys
        self._cap_ms = cap_ms
        self._lease_ms = lease_ms
        self._bought_window_ms = bought_window_ms

    def facts(self, person: str) -> Facts:
        """Read what is known of a person."""
        found: list[bytes] = self._scripts.run("facts", self._keys.person(person))
        bought, opted_out, held, *sessions = (item.decode() for item in found)
        outreach, _, at = held.split(":") if held else ("", "", 0)
        return Facts(bool(bought), bool(opted_out), outreach, int(at), tuple(sessions))

    def reserve(self, person: str, outreach: str, claim: int, lead: Lead, *, cap_ms: int | None = None) -> Reservation:
        """Reserve a person for one attempt, unless they bought, opted out, or another outreach has them.

        `lead`: what is remembered with it, before the attempt: no crash can come between a contact and this.
        `cap_ms`: how long ago another contact must be; it is remembered for as long as the longest cap all the same.
        `not_replicated`: they are reserved, but too few replicas know, so no request may start.
        """
        cap_ms = self._cap_ms if cap_ms is None else cap_ms
        args = (outreach, claim, self._cap_ms + self._lease_ms, self._lease_ms, cap_ms + self._lease_ms, *lead)
        reply, confirmed = self._scripts.run_confirmed("reserve", self._keys.person(person), *args)
        return "not_replicated" if reply == b"reserved" and not confirmed else reply.decode()

    def release(self, person: str, outreach: str, claim: int) -> bool:
        """Give a person free if this very attempt holds them; call it only when surely nobody was contacted."""
        return bool(self._scripts.run("release", self._keys.person(person), outreach, claim))

    def begin_note_sessions(self, named: Iterable[tuple[str, str, int]]) -> Callable[[], object]:
        """Begin to remember in which sessions people were named: (person, session, Unix ms). Call what is returned."""
        calls = [
            (self._keys.person(person), (session, SESSION_TTL_MS, MOST_SESSIONS, at_ms))
            for person, session, at_ms in named
        ]
        return self._scripts.begin_many("note_session", calls)

    def mark_bought(self, person: str, at_ms: int) -> bool:
        """Mark a person as a buyer at `at_ms` (Unix ms); False when that changes nothing."""
        return self.mark_buyers({person: at_ms})[0]

    def mark_buyers(self, buyers: Mapping[str, int]) -> list[bool]:
        """Do as `mark_bought` for many people at once, each with the time of their purchase."""
        calls = [(self._keys.person(person), (at_ms, self._bought_window_ms)) for person, at_ms in buyers.items()]
        return [bool(marked) for marked in self._scripts.run_many("mark_bought", calls)]

    def opt_out(self, person: str) -> None:
        """Never contact this person again. Kept without a time to live: the refusal has to outlive all else."""
        with translated():
            self._scripts.client.set(f"{self._keys.person(person)}opted_out", 1)
