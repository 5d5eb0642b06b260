"""A session as it is stored: which fields there are, what they mean, and how they are read."""

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
"""Scripts are given the names of the ranks each in so many characters."""
MARK = "+"
"""What the activity of a session ends with that does more than look around; see `state/lua/includes/marked.lua`."""
_FIRST, _LAST = "first.", "last."
"""What the fields begin with that say when a session was at a place of the flow; its rank follows."""
SUPERSEDES = "supersedes"
PERSON = ("phone", "country", "email")
"""Fields that tell together who the person is, in the order in which scripts return them."""
ANSWERS = ("consent.call", "consent.whatsapp", "consent.given_at", "consent.source")
"""Fields that tell what the person answered; scripts return them after those."""
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
        SUPERSEDES,
        *(f"{end}{rank:02d}" for end in (_FIRST, _LAST) for rank in range(RANK_SPAN)),
    }
)
"""What a session's hash holds besides what events said; everything else is stamped."""
NOT_MERGED = OWN_FIELDS | {"order", "id"}
"""What stays with a session that another one takes over: its order, and what the shop calls it, are its own."""
_DIGITS = "".join(map(chr, [*range(ord("#"), ord("\\")), *range(ord("]"), ord("~"))]))
"""90 characters, ascending, none of which JSON escapes or begins a sealed value. Eight last until the year 3334."""
_VALUES = {digit: value for value, digit in enumerate(_DIGITS)}
_PAIRS = [first + second for first in _DIGITS for second in _DIGITS]
_PAIR, _HALF = len(_PAIRS), len(_PAIRS) ** 2
_CART = "cart"


class StageVisit(NamedTuple):
    """When a session was first and last at one place of the flow (Unix ms); it may have been elsewhere in between."""

    rank: int
    first_ms: int
    last_ms: int


@dataclass(frozen=True, slots=True)
class Session:
    """A session as it is stored."""

    session_id: str
    activity: int
    signal: int
    purchase: int
    silent_since_ms: int
    state: str
    """`waiting`, `abandoned`, `bought`, `forgotten`, or the outcome that was recorded without an outreach."""
    outreach: str
    contacts: int
    """How many contacts were made, or may have been made, for this session and those it took over."""
    fields: Mapping[str, str]
    """Without stamps; a field that was cleared is an empty text, one that never came is missing."""
    outreaches: tuple[str, ...] = ()
    """The latest eight that were made for it, the first first."""
    unreadable: str = ""
    """Why fields are missing that cannot be decrypted; empty when all could be read."""
    stage_visits: tuple[StageVisit, ...] = ()
    """Where in the flow it was and when, in the order in which it first came there."""
    superseded_by: str = ""
    """The session that has taken this one over; empty for none."""
    supersedes: str = ""
    """The session that this one took over last; empty for none."""
    seen_ms: int = 0
    """When its shopper was last there (Unix ms), which may be later than its last event occurred; 0 for never."""
    purchase_before: int = 0
    """Sequence number of the last order of those it took over; 0 for none."""
    stamp_of_cart: int = 0
    """Sequence number of the event that its cart is from, also when that emptied it; 0 when there never was a cart."""

    @property
    def has_bought(self) -> bool:
        """Whether it, or one that it took over, has bought, and its cart holds nothing newer than the order."""
        bought = max(self.purchase, self.purchase_before)
        return bought > 0 and (self.stamp_of_cart <= bought or self.fields.get(_CART) == "")


def stamped(stamp: int, value: str) -> str:
    """Return a field's text as it is stored: the higher of two texts is that of the later event."""
    upper, lower = divmod(stamp, _HALF)
    first, second = divmod(upper, _PAIR)
    third, fourth = divmod(lower, _PAIR)
    return _PAIRS[first] + _PAIRS[second] + _PAIRS[third] + _PAIRS[fourth] + value


def tag_of(session_id: str) -> str:
    """Return what stands for a session among those whose contacts count for a later one."""
    return sha256(session_id.encode()).hexdigest()[:12]


def read_contacts(stored: str) -> dict[str, int]:
    """Read how many contacts were made for each earlier session, by its tag: `tag=count`, a comma between.

    An earlier version kept one number for all of them.
    """
    pairs = (one.rpartition("=") for one in stored.split(",") if one)
    return {tag: int(number) for tag, _, number in pairs}


def stamp_of(stored: str) -> int:
    """Return the sequence number that a field as it is stored begins with; 0 for an empty text."""
    number = 0
    for digit in stored[:STAMP_WIDTH]:
        number = number * len(_DIGITS) + _VALUES.get(digit, 0)
    return number


def read_session(session_id: str, stored: Mapping[str, str], cipher: Cipher) -> Session:
    """Read a session's hash; every sequence number is 0 when the hash is gone."""
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
    # This, and since when it is silent, are stored only when they are not when the last event occurred.
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
    """Return the text of a stored field without its stamp; raises UnreadableError."""
    return cipher.decrypt(session_id, name, value[:STAMP_WIDTH], value[STAMP_WIDTH:])
