"""Marks on people: purchases, opt-outs, answers, the sessions that named them, and links between identities.

A person is identified by a phone number and an e-mail address, and each of the two has its own keys. Once both were
seen in one session they are linked: marks of one, including earlier ones, are copied to the other. A mark goes one link
far. The order of marks and links doesn't matter: a script that writes a mark returns the links, and one that writes a
link returns the marks, so the second of them sees the first.

An address that is used with many numbers (`guest@shop.com`, a family's office) doesn't identify a person. Nothing is
passed on over it, since a stranger's order or refusal says nothing about its other users.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from state.calls import people as lua
from state.calls import sessions
from state.calls.people import MarkReply, NoteReply
from state.channels import CHANNELS, Channel
from state.keys import ANSWER_TTL_MS, LINK_TTL_MS, SESSION_TTL_MS, Keys
from state.pending import Pending
from state.script import Call
from state.scripts import Scripts

MOST_SESSIONS = 50
"""The most sessions kept for a person, the latest ones: a number that every shopper gives must not grow without end."""
MOST_LINKED = 10
"""An identity seen with more others than this is shared: it doesn't identify a person."""
MOST_LINKS = 50
"""The most links kept for an identity, the latest ones."""
_AT_WIDTH, _REFUSED, _ALLOWED, _BETWEEN = 15, "r", "a", "\t"


class ConsentAnswer(NamedTuple):
    """A person's answer about being contacted, with its proof as the shop gave it."""

    allowed: bool
    at_ms: int
    """When the event with the answer occurred (Unix ms)."""
    given_at: str = ""
    source: str = ""

    def __str__(self) -> str:
        """Return the stored form: the higher of two texts is the later answer, and at the same time the refusal."""
        kind = _ALLOWED if self.allowed else _REFUSED
        return f"{self.at_ms:0{_AT_WIDTH}d}{kind}{self.given_at}{_BETWEEN}{self.source}"

    @classmethod
    def read(cls, text: str) -> "ConsentAnswer":
        """Return the answer that `str` wrote."""
        given_at, _, source = text[_AT_WIDTH + 1 :].partition(_BETWEEN)
        return cls(text[_AT_WIDTH] == _ALLOWED, int(text[:_AT_WIDTH]), given_at, source)


class PaymentNews(NamedTuple):
    """The state of a payment, as one event reports it."""

    at_ms: int
    """When that event occurred (Unix ms)."""
    in_progress: bool
    """False: it was declined."""
    expires_ms: int = 0
    """The expiry that the shop stated (Unix ms); 0 for none."""


@dataclass(slots=True)
class Marks:
    """The marks for one person. Times are Unix ms, 0 for none."""

    bought_ms: int = 0
    opted_out_ms: int = 0
    stated_payment: str = ""
    """The latest stated expiry of a payment, as the scripts keep it; empty for none."""
    latest_payment: str = ""
    """The last payment without an expiry, as the scripts keep it; empty for none."""
    answers: dict[Channel, ConsentAnswer] = field(default_factory=dict)

    def bought(self, at_ms: int) -> None:
        """Add a purchase; the latest counts."""
        self.bought_ms = max(self.bought_ms, at_ms)

    def opted_out(self, at_ms: int) -> None:
        """Add an opt-out; the first counts."""
        self.opted_out_ms = min(self.opted_out_ms, at_ms) if self.opted_out_ms else at_ms

    def paying(self, payment: PaymentNews, window_ms: int) -> None:
        """Add the state of a payment. The latest event counts, and the latest stated expiry.

        `window_ms`: how long a payment without an expiry counts as in progress.
        """
        at, ends_ms = f"{payment.at_ms:0{_AT_WIDTH}d}", payment.expires_ms
        if ends_ms > payment.at_ms:
            self.stated_payment = max(self.stated_payment, f"{ends_ms:0{_AT_WIDTH}d}{at}")
            return
        ends_ms = payment.at_ms + window_ms if payment.in_progress and not ends_ms else 0
        self.latest_payment = max(self.latest_payment, f"{at}{ends_ms:0{_AT_WIDTH}d}")

    def answered(self, channel: Channel, answer: ConsentAnswer) -> None:
        """Add an answer; the latest counts, and at the same time the refusal."""
        known = self.answers.get(channel)
        if known is None or str(answer) > str(known):
            self.answers[channel] = answer

    def add(self, other: "Marks") -> None:
        """Add all marks of another instance."""
        if other.bought_ms:
            self.bought(other.bought_ms)
        if other.opted_out_ms:
            self.opted_out(other.opted_out_ms)
        self.stated_payment = max(self.stated_payment, other.stated_payment)
        self.latest_payment = max(self.latest_payment, other.latest_payment)
        for channel, answer in other.answers.items():
            self.answered(channel, answer)

    def __bool__(self) -> bool:
        return bool(self.bought_ms or self.opted_out_ms or self.stated_payment or self.latest_payment or self.answers)


class PersonMention(NamedTuple):
    """A person named in a session, with another identity of theirs if known."""

    person: str
    session: str
    at_ms: int
    other: str = ""


class MarkingResult(NamedTuple):
    """The result of naming and marking people."""

    new: int
    """Number of new marks."""
    shared: int
    """How many of the named people are shared identities."""
    erased: int = 0
    """How many of the named people weren't recorded, because they were erased since."""
    last_erasure: str = ""
    """The id of the last erasure by `winback forget`; empty for none, or if not requested."""


class MarkWriter:
    """Writes marks and links. `bought_window_ms`: how long a purchase counts."""

    def __init__(self, scripts: Scripts, keys: Keys, bought_window_ms: int) -> None:
        self._scripts = scripts
        self._keys = keys
        self._bought_window_ms = bought_window_ms

    def send(
        self, named: Iterable[PersonMention], marks: Mapping[str, Marks], *, ask_last_erasure: bool = False
    ) -> Pending[MarkingResult]:
        """Start to record names and marks; take the result before the events are acknowledged.

        `ask_last_erasure`: also return `MarkingResult.last_erasure`.

        Raises:
            StateError: Some might not have been written; repeat the call.
        """
        named = list(named)
        ask = [sessions.last_erasure(self._keys.control)] if ask_last_erasure else []
        calls = self._calls(marks, linked=False)
        replies = self._scripts.send_groups([self._note(one) for one in named], calls, ask)

        def wait() -> MarkingResult:
            note_replies, marked, asked = replies.result()
            passed_on: dict[str, Marks] = {}
            for one, reply in zip(named, note_replies, strict=True):
                if reply.marks:
                    _of(passed_on, one.other).add(_read(reply.marks))
            for mine, found in zip(marks.values(), marked, strict=True):
                for link in found.linked:
                    _of(passed_on, link).add(mine)
            more = {person: found for person, found in passed_on.items() if found}
            marked += self._scripts.send_calls(self._calls(more, linked=True)).result()
            return MarkingResult(
                new=sum(reply.new for reply in marked),
                shared=sum(reply.verdict == "shared" for reply in note_replies),
                erased=sum(reply.verdict == "erased" for reply in note_replies),
                last_erasure=asked[0] if asked else "",
            )

        return Pending(wait)

    def _note(self, one: PersonMention) -> Call[NoteReply]:
        return lua.note(
            self._keys.person(one.person),
            session=one.session,
            session_ms=SESSION_TTL_MS,
            most_sessions=MOST_SESSIONS,
            named_at=one.at_ms,
            other=one.other,
            link_ms=LINK_TTL_MS,
            most_links=MOST_LINKS,
            shared_from=MOST_LINKED,
        )

    def _calls(self, marks: Mapping[str, Marks], *, linked: bool) -> list[Call[MarkReply]]:
        return [
            lua.mark(
                self._keys.person(person),
                relation="linked" if linked else "",
                bought_at=found.bought_ms or "",
                bought_ms=self._bought_window_ms,
                opted_out_at=found.opted_out_ms or "",
                answer_ms=ANSWER_TTL_MS,
                shared_from=MOST_LINKED,
                stated=found.stated_payment,
                latest=found.latest_payment,
                answers=(word for channel, answer in found.answers.items() for word in (channel, str(answer))),
            )
            for person, found in marks.items()
        ]


def _of(marks: dict[str, Marks], person: str) -> Marks:
    return marks.setdefault(person, Marks())


def _read(words: Sequence[str]) -> Marks:
    """Return the direct marks from a script's reply."""
    bought, opted_out, stated, latest, *answers = words
    found = Marks(int(bought or 0), int(opted_out or 0), stated, latest)
    for channel in CHANNELS:
        for name, text in zip(answers[::2], answers[1::2], strict=True):
            if name == channel:
                found.answers[channel] = ConsentAnswer.read(text)
    return found
