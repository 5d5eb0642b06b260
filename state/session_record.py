"""A stored session: its fields, their meaning, and how to read them."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

from state.cipher import Cipher
from state.errors import UnreadableError

STAMP_WIDTH = 8
RANK_SPAN = 100
"""A sequence number is a time in ms, times this, plus a rank."""
RANK_WIDTH = 32
"""Width of each rank's name in the text that scripts get."""
MARK = "+"
"""Suffix of the activity of a session with more than plain activity; see `state/lua/includes/marked.lua`."""
_FIRST, _LAST = "first.", "last."
"""Prefixes of the fields with the times of a session at a stage; its rank follows."""
SUPERSEDES = "supersedes"
PERSON = ("phone", "country", "email")
"""Fields that together identify the person, in the order in which scripts return them."""
ANSWERS = ("consent.call", "consent.whatsapp", "consent.given_at", "consent.source")
"""Fields with the person's answers; scripts return them after those."""
OWN_FIELDS = frozenset(
    {
        "activity",
        "signal",
        "purchase",
        "silent",
        "seen",
        "state",
        "outreach",
        "sending",
        "contacts",
        "contacts_before",
        "purchase_before",
        "superseded",
        "superseded_by",
        "circle_stamp",
        "contacted",
        "outreaches",
        "forgotten",
        "tune",
        "kept",
        SUPERSEDES,
        *(f"{end}{rank:02d}" for end in (_FIRST, _LAST) for rank in range(RANK_SPAN)),
    }
)
"""Fields of a session's hash that aren't from events; all others are stamped."""
NOT_MERGED = OWN_FIELDS | {"order", "id"}
"""Fields that stay with a superseded session: its order and the shop's id belong to it."""
_DIGITS = "".join(map(chr, [*range(ord("#"), ord("\\")), *range(ord("]"), ord("~"))]))
"""90 ascending characters that JSON doesn't escape and no encrypted value begins with. Eight suffice until the year
3334."""
_VALUES = {digit: value for value, digit in enumerate(_DIGITS)}
_PAIRS = [first + second for first in _DIGITS for second in _DIGITS]
_PAIR, _HALF = len(_PAIRS), len(_PAIRS) ** 2
_CART = "cart"


class StageVisit(NamedTuple):
    """When a session was first and last at one stage of the flow (Unix ms). It can have been elsewhere in between."""

    rank: int
    first_ms: int
    last_ms: int


@dataclass(frozen=True, slots=True)
class Session:
    """A stored session."""

    session_id: str
    activity: int
    signal: int
    purchase: int
    silent_since_ms: int
    state: str
    """`waiting`, `abandoned`, `bought`, `forgotten`, or an outcome recorded without an outreach."""
    outreach: str
    contacts: int
    """How many contacts were or might have been made for this session and those it superseded."""
    fields: Mapping[str, str]
    """Without stamps. A cleared field is an empty text; a field that never arrived is missing."""
    outreaches: tuple[str, ...] = ()
    """Its latest eight outreaches, oldest first."""
    unreadable: str = ""
    """Why fields are missing that can't be decrypted; empty if all were read."""
    stage_visits: tuple[StageVisit, ...] = ()
    """When it was at which stage, in the order of the first visits."""
    superseded_by: str = ""
    """The session that superseded this one; empty for none."""
    supersedes: str = ""
    """The session that this one superseded last; empty for none."""
    seen_ms: int = 0
    """When its shopper was last active (Unix ms), which can be later than the time of its last event; 0 for never."""
    purchase_before: int = 0
    """Sequence number of the last order of superseded sessions; 0 for none."""
    stamp_of_cart: int = 0
    """Sequence number of the event that set or emptied its cart; 0 if there never was a cart."""

    @property
    def has_bought(self) -> bool:
        """Whether it or a session that it superseded has bought, and its cart holds nothing newer than the order."""
        bought = max(self.purchase, self.purchase_before)
        return bought > 0 and (self.stamp_of_cart <= bought or self.fields.get(_CART) == "")


def stamped(stamp: int, value: str) -> str:
    """Return a field's stored text: the higher of two texts is that of the later event."""
    upper, lower = divmod(stamp, _HALF)
    first, second = divmod(upper, _PAIR)
    third, fourth = divmod(lower, _PAIR)
    return _PAIRS[first] + _PAIRS[second] + _PAIRS[third] + _PAIRS[fourth] + value


def tag_of(session_id: str) -> str:
    """Return the tag of a session among those whose contacts count for a later one."""
    return sha256(session_id.encode()).hexdigest()[:12]


def read_contacts(stored: str) -> dict[str, int]:
    """Return the contacts of each earlier session by its tag, from `tag=count` texts separated by commas.

    An earlier version kept one number for all of them.
    """
    pairs = (one.rpartition("=") for one in stored.split(",") if one)
    return {tag: int(number) for tag, _, number in pairs}


def stamp_of(stored: str) -> int:
    """Return the sequence number at the start of a stored field; 0 for an empty text."""
    number = 0
    for digit in stored[:STAMP_WIDTH]:
        number = number * len(_DIGITS) + _VALUES.get(digit, 0)
    return number


def read_session(session_id: str, stored: Mapping[str, str], cipher: Cipher) -> Session:
    """Return a session from its hash. Every sequence number is 0 if the hash is gone."""
    fields, unreadable = {}, ""
    for name, value in stored.items():
        if name in OWN_FIELDS:
            continue
        try:
            fields[name] = opened(session_id, name, value, cipher)
        except UnreadableError as exc:
            unreadable = str(exc)
    activity = int(stored.get("activity", "0").rstrip(MARK))
    signal, purchase = (int(stored.get(name, 0)) for name in ("signal", "purchase"))
    # This and the start of the silence are stored only if they differ from the time of the last event.
    seen_ms = int(stored.get("seen") or max(activity, signal, purchase) // RANK_SPAN)
    return Session(
        session_id=session_id,
        activity=activity,
        signal=signal,
        purchase=purchase,
        silent_since_ms=int(stored.get("silent") or seen_ms),
        state=stored.get("state", "waiting"),
        outreach=stored.get("outreach", ""),
        contacts=int(stored.get("contacts", 0)) + sum(read_contacts(stored.get("contacts_before", "")).values()),
        fields=fields,
        outreaches=tuple(stored.get("outreaches", "").split()),
        unreadable=unreadable,
        stage_visits=_stage_visits(stored, activity),
        superseded_by=stored.get("superseded_by", ""),
        supersedes=stored.get(SUPERSEDES, "")[STAMP_WIDTH:],
        seen_ms=seen_ms,
        purchase_before=int(stored.get("purchase_before", 0)),
        stamp_of_cart=stamp_of(stored.get(_CART, "")),
    )


def _stage_visits(stored: Mapping[str, str], activity: int) -> tuple[StageVisit, ...]:
    here, found = activity % RANK_SPAN, []
    for name, first in stored.items():
        if name.startswith(_FIRST):
            rank = int(name.removeprefix(_FIRST))
            last_ms = activity // RANK_SPAN if rank == here else int(stored.get(f"{_LAST}{rank:02d}", first))
            found.append(StageVisit(rank, int(first), last_ms))
    return tuple(sorted(found, key=lambda stay: (stay.first_ms, stay.rank)))


def opened(session_id: str, name: str, value: str, cipher: Cipher) -> str:
    """Return the text of a stored field without its stamp. Raises UnreadableError."""
    return cipher.decrypt(session_id, name, value[:STAMP_WIDTH], value[STAMP_WIDTH:])
