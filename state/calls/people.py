"""The scripts for people: marks, links, reservations and the opt-out list."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Self

from state.script import Arguments, flag, number, pairs, script, text, texts


class MarkReply(NamedTuple):
    """The result of marking a person."""

    new: int
    """Number of new marks."""
    linked: Sequence[str]
    """People that these marks are passed on to."""

    @classmethod
    def parse(cls, reply: tuple[int | bytes, ...]) -> Self:
        """Return the parsed reply of mark.lua."""
        new, *linked = reply
        return cls(int(new), [one.decode() for one in linked if isinstance(one, bytes)])


@script(MarkReply.parse)
def mark(
    *,
    relation: str,
    bought_at: int | str,
    bought_ms: int,
    opted_out_at: int | str,
    answer_ms: int,
    shared_from: int,
    stated: str,
    latest: str,
    answers: Iterable[str],
) -> Arguments:
    """Mark a person. `answers`: channel, answer, and so on."""
    return relation, bought_at, bought_ms, opted_out_at, answer_ms, shared_from, stated, latest, *answers


class NoteReply(NamedTuple):
    """The result of recording that a person was named."""

    verdict: str
    """`shared`: its marks aren't passed on. `barred`: the person was erased since. Empty otherwise."""
    marks: Sequence[str]
    """Its direct marks for the other identity, as `mark` takes them.

    Bought, opted out, the payment as stated, the latest payment, then channel, answer, and so on.
    """

    @classmethod
    def parse(cls, reply: Sequence[bytes]) -> Self:
        """Return the parsed reply of note.lua."""
        verdict, *marks = texts(reply)
        return cls(verdict, marks)


@script(NoteReply.parse)
def note(
    *,
    session: str,
    session_ms: int,
    most_sessions: int,
    named_at: int,
    other: str,
    link_ms: int,
    most_links: int,
    shared_from: int,
) -> Arguments:
    """Record that a person was named in a session, and with another identity."""
    return session, session_ms, most_sessions, named_at, other, link_ms, most_links, shared_from


@script(text)
def reserve(
    *,
    outreach: str,
    token: int,
    reservation_ttl_ms: int,
    lease_ms: int,
    channels: str,
    shared_from: int | str,
    worth: str,
    contact_ttl_ms: int,
    taken_at: int,
    limits: Iterable[int],
) -> Arguments:
    """Reserve a person. `limits`: contacts, within (ms), and so on. The reply: a word; see the script."""
    return (
        outreach,
        token,
        reservation_ttl_ms,
        lease_ms,
        channels,
        shared_from,
        worth,
        contact_ttl_ms,
        taken_at,
        *limits,
    )


@script(flag)
def release(outreach: str, token: int) -> Arguments:
    """Release a person. The reply: whether this attempt held the reservation."""
    return outreach, token


@script(number)
def remove_older_optout(source: str, moment: int) -> Arguments:
    """Remove an older entry from the opt-out list. The reply: how many were removed, 0 or 1."""
    return source, moment


class PersonFactsReply(NamedTuple):
    """The facts about a person."""

    bought: bool
    shared: bool
    opted_out: Sequence[str]
    """The sources that list the person."""
    answers: Sequence[tuple[str, str]]
    """Channel and latest answer."""
    reservations: Sequence[tuple[str, str]]
    """Outreach and `token:time` (ms)."""
    sessions: Sequence[str]
    paying_until: int
    """Until when a payment is in progress (Unix ms); 0 for none."""

    @classmethod
    def parse(cls, reply: tuple[bytes, bytes, list[bytes], list[bytes], list[bytes], list[bytes], bytes]) -> Self:
        """Return the parsed reply of person_facts.lua."""
        bought, shared, opted_out, answers, held, sessions, paying_until = reply
        sources = [source for source, _ in pairs(opted_out)]
        return cls(
            bought=bool(bought),
            shared=bool(shared),
            opted_out=sources,
            answers=[*pairs(answers)],
            reservations=[*pairs(held)],
            sessions=texts(sessions),
            paying_until=int(paying_until),
        )


@script(PersonFactsReply.parse)
def person_facts(shared_from: int) -> Arguments:
    """Read the facts about a person."""
    return (shared_from,)
