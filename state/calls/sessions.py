"""The scripts that apply events to sessions, claim them, and join them."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Self

from state.script import Arguments, flag, mapping, number, script, text, texts


class StoredMark(NamedTuple):
    """What a session knows of its person, as it is stored: a stamp before each text, empty for none."""

    event: int
    """Which of the full events of the call it is for, from 0."""
    phone: str
    country: str
    email: str
    purchase: int
    """Sequence number of the latest order; 0 for none."""
    opted_out: bool
    superseded_by: str
    """The session that has taken it over; empty for none."""
    superseded: int
    """Sequence number of the event that said so; 0 for none."""
    answers: tuple[str, ...]
    """As to ANSWERS."""

    @classmethod
    def parse(cls, reply: Sequence[bytes], event: int = 0) -> Self:
        """Read the reply of merge_into.lua, or a part of that of apply.lua."""
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
    """The persons to be marked after events were applied."""

    marks: Sequence[StoredMark]

    @classmethod
    def parse(cls, reply: Sequence[bytes]) -> Self:
        """Read the reply of apply.lua."""
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
    """What one call has claimed."""

    looked: int
    """Sessions it has looked at; as many as the limit: there may be more."""
    taken: int
    unreachable: int
    """How many of those taken ended as unreachable."""
    outreaches: Sequence[str]

    @classmethod
    def parse(cls, reply: tuple[int | bytes, ...]) -> Self:
        """Read the reply of claim.lua."""
        looked, taken, unreachable, *outreaches = reply
        return cls(
            int(looked), int(taken), int(unreachable), [one.decode() for one in outreaches if isinstance(one, bytes)]
        )


@script(ClaimReply.parse)
def claim(limit: int, max_age: int, lanes: str, id_start: str, ranks: bytes, *required: str) -> Arguments:
    """Claim sessions that have been silent for too long. `lanes`: JSON; `max_age`: ms."""
    return limit, max_age, lanes, id_start, ranks, *required


class HandOverReply(NamedTuple):
    """The session that was taken over."""

    in_flight: bool
    """A request is in flight for it."""
    fields: Mapping[str, str]
    """Its hash; empty when it was forgotten."""

    @classmethod
    def parse(cls, reply: tuple[int, Sequence[bytes]]) -> Self:
        """Read the reply of supersede.lua."""
        in_flight, fields = reply
        return cls(bool(in_flight), mapping(fields))


@script(HandOverReply.parse)
def supersede(earlier: str, later: str, stamp_text: int, ranks: bytes) -> Arguments:
    """Let a session be taken over by a later one."""
    return earlier, later, stamp_text, ranks


@script(StoredMark.parse)
def merge_into(session: str, earlier_contacts: str, earlier_purchase: int, *fields: str) -> Arguments:
    """Give a session what an earlier one knew. `fields`: each name with its stamped value."""
    return session, earlier_contacts, earlier_purchase, *fields


@script(flag)
def break_circle(session: str, ranks: bytes) -> Arguments:
    """Let a session of a circle wait again. The reply: whether it does."""
    return session, ranks


class ForgetReply(NamedTuple):
    """What one call has removed."""

    sessions: int
    outreaches: int
    skeletons: int

    @classmethod
    def parse(cls, reply: tuple[int, int, int]) -> Self:
        """Read the reply of forget.lua."""
        return cls(*reply)


@script(ForgetReply.parse)
def forget(session: str, named: str, lanes: str) -> Arguments:
    """Remove a session and outreaches. `named`, `lanes`: with spaces between."""
    return session, named, lanes


@script(text)
def last_erasure() -> Arguments:
    """Ask which removal was the last."""
    return ()


@script(number)
def compare_and_set(hash_: str, *changes: str) -> Arguments:
    """Replace values of a hash. `changes`: field, value that was read, new value, and so on. The reply: how many."""
    return hash_, *changes
