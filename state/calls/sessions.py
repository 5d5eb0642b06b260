"""The scripts that apply events to sessions, claim sessions and join them."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Self

from state.script import Arguments, flag, mapping, number, script, text, texts


class StoredMark(NamedTuple):
    """A session's data about its person in stored form: a stamp before each text, empty for none."""

    event: int
    """Index among the full events of the call, from 0."""
    phone: str
    country: str
    email: str
    purchase: int
    """Sequence number of the latest order; 0 for none."""
    opted_out: bool
    superseded_by: str
    """The session that superseded it; empty for none."""
    superseded: int
    """Sequence number of the event that caused it; 0 for none."""
    answers: tuple[str, ...]
    """In the order of ANSWERS."""

    @classmethod
    def parse(cls, reply: Sequence[bytes], event: int = 0) -> Self:
        """Return the parsed reply of merge_into.lua, or a part of the reply of apply.lua."""
        phone, country, email, purchase, opted_out, superseded_by, superseded, *answers = texts(reply)
        return cls(
            event,
            phone,
            country,
            email,
            int(purchase),
            opted_out == "1",
            superseded_by,
            int(superseded),
            tuple(answers),
        )


class ApplyReply(NamedTuple):
    """The people to mark after events were applied."""

    marks: Sequence[StoredMark]

    @classmethod
    def parse(cls, reply: Sequence[bytes]) -> Self:
        """Return the parsed reply of apply.lua."""
        if not reply:
            return cls(())
        rows = zip(*[iter(reply)] * WORDS_OF_A_MARK, strict=True)
        return cls([StoredMark.parse(words, int(event)) for event, *words in rows])


WORDS_OF_A_MARK = 12


@script(ApplyReply.parse)
def apply(ranks: bytes, plain: bytes, events: bytes) -> Arguments:
    """Apply events. `plain` and `events`: JSON."""
    return ranks, plain, events


class ClaimReply(NamedTuple):
    """The result of one claim call."""

    looked: int
    """Number of examined sessions. If it equals the limit, there can be more."""
    taken: int
    unreachable: int
    """How many of those taken ended as unreachable."""
    outreaches: Sequence[str]

    @classmethod
    def parse(cls, reply: tuple[int | bytes, ...]) -> Self:
        """Return the parsed reply of claim.lua."""
        looked, taken, unreachable, *outreaches = reply
        return cls(
            int(looked), int(taken), int(unreachable), [one.decode() for one in outreaches if isinstance(one, bytes)]
        )


@script(ClaimReply.parse)
def claim(limit: int, max_age: int, lanes: str, id_start: str, ranks: bytes, *required: str) -> Arguments:
    """Claim sessions that have been silent for too long. `lanes`: JSON; `max_age`: ms."""
    return limit, max_age, lanes, id_start, ranks, *required


class HandOverReply(NamedTuple):
    """The superseded session."""

    in_flight: bool
    """A request is in flight for it."""
    fields: Mapping[str, str]
    """Its hash; empty if it was erased."""

    @classmethod
    def parse(cls, reply: tuple[int, Sequence[bytes]]) -> Self:
        """Return the parsed reply of supersede.lua."""
        in_flight, fields = reply
        return cls(bool(in_flight), mapping(fields))


@script(HandOverReply.parse)
def supersede(earlier: str, later: str, stamp_text: int, ranks: bytes) -> Arguments:
    """Supersede a session by a later one."""
    return earlier, later, stamp_text, ranks


@script(StoredMark.parse)
def merge_into(session: str, earlier_contacts: str, earlier_purchase: int, *fields: str) -> Arguments:
    """Copy the data of an earlier session to a session. `fields`: each name with its stamped value."""
    return session, earlier_contacts, earlier_purchase, *fields


@script(flag)
def break_circle(session: str, ranks: bytes) -> Arguments:
    """Return a session of a circle to its lane. The reply: whether it was in one."""
    return session, ranks


class ForgetReply(NamedTuple):
    """The number of removed records."""

    sessions: int
    outreaches: int
    skeletons: int

    @classmethod
    def parse(cls, reply: tuple[int, int, int]) -> Self:
        """Return the parsed reply of forget.lua."""
        return cls(*reply)


@script(ForgetReply.parse)
def forget(session: str, named: str, lanes: str) -> Arguments:
    """Remove a session and outreaches. `named`, `lanes`: separated by spaces."""
    return session, named, lanes


@script(text)
def last_erasure() -> Arguments:
    """Read the id of the last erasure."""
    return ()


@script(number)
def compare_and_set(hash_: str, *changes: str) -> Arguments:
    """Replace values of a hash. `changes`: field, value that was read, new value, and so on. The reply: how many."""
    return hash_, *changes
