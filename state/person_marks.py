"""Marks on people: who bought, opted out or answered, was named in which session; and which identities go together.

A person is known by a phone number and an e-mail address, and each of the two has keys of its own. Once both were seen
in one session they are linked: what is marked on one is marked on the other, also what was marked before. A mark goes
one link far, and whatever order marks and links arrive in, the end is the same: a script that writes a mark returns the
links, and one that writes a link returns the marks, so whichever comes second sees the other.

An address that is used with many numbers (`guest@shop.com`, a family's office) tells nobody apart: nothing is passed on
over it, since a stranger's order or refusal says nothing about anybody else who uses it.
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
"""How many sessions of a person are remembered, the latest: a number that every shopper gives must not grow forever."""
MOST_LINKED = 10
"""An identity that was seen with more than this many others is shared: it does not tell a person apart."""
MOST_LINKS = 50
"""How many links of an identity are kept, the latest."""
_AT_WIDTH, _REFUSED, _ALLOWED, _BETWEEN = 15, "r", "a", "\t"


class ConsentAnswer(NamedTuple):
    """A person's answer to the question whether they may be contacted, with its proof as the shop gave it."""

    allowed: bool
    at_ms: int
    """When the event that says so occurred (Unix ms)."""
    given_at: str = ""
    source: str = ""

    def __str__(self) -> str:
        """Return it as it is stored: of two the higher text is the later one, and of two at one time the refusal."""
        kind = _ALLOWED if self.allowed else _REFUSED
        return f"{self.at_ms:0{_AT_WIDTH}d}{kind}{self.given_at}{_BETWEEN}{self.source}"

    @classmethod
    def read(cls, text: str) -> "ConsentAnswer":
        """Read what `str` wrote."""
        given_at, _, source = text[_AT_WIDTH + 1 :].partition(_BETWEEN)
        return cls(text[_AT_WIDTH] == _ALLOWED, int(text[:_AT_WIDTH]), given_at, source)


class PaymentNews(NamedTuple):
    """How a payment stands, as one event says."""

    at_ms: int
    """When that event occurred (Unix ms)."""
    in_progress: bool
    """False: it was declined."""
    expires_ms: int = 0
    """The expiry that the shop stated (Unix ms); 0 for none."""


@dataclass(slots=True)
class Marks:
    """What is to be marked on one person. Times are Unix ms, 0 for none."""

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
        """Add how a payment stands; the latest counts, and of stated expiries the last.

        `window_ms`: how long a payment counts as in progress that states no expiry.
        """
        at, ends_ms = f"{payment.at_ms:0{_AT_WIDTH}d}", payment.expires_ms
        if ends_ms > payment.at_ms:
            self.stated_payment = max(self.stated_payment, f"{ends_ms:0{_AT_WIDTH}d}{at}")
            return
        ends_ms = payment.at_ms + window_ms if payment.in_progress and not ends_ms else 0
        self.latest_payment = max(self.latest_payment, f"{at}{ends_ms:0{_AT_WIDTH}d}")

    def answered(self, channel: Channel, answer: ConsentAnswer) -> None:
        """Add an answer; the latest counts, and of two at one time the refusal."""
        known = self.answers.get(channel)
        if known is None or str(answer) > str(known):
            self.answers[channel] = answer

    def add(self, other: "Marks") -> None:
        """Add all of another's."""
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
    """A person who was named in a session, perhaps together with another identity of theirs."""

    person: str
    session: str
    at_ms: int
    other: str = ""


class MarkingResult(NamedTuple):
    """What came of naming and marking people."""

    new: int
    """How many marks are new."""
    shared: int
    """How many of those named are shared identities."""
    erased: int = 0
    """How many of those named were not noted, because they were forgotten since."""
    last_erasure: str = ""
    """Which removal by `winback forget` was the last; empty for none, or when it was not asked for."""


class MarkWriter:
    """Writes marks and links. `bought_window_ms`: for how long a purchase counts."""

    def __init__(self, scripts: Scripts, keys: Keys, bought_window_ms: int) -> None:
        self._scripts = scripts
        self._keys = keys
        self._bought_window_ms = bought_window_ms

    def send(
        self, named: Iterable[PersonMention], marks: Mapping[str, Marks], *, ask_last_erasure: bool = False
    ) -> Pending[MarkingResult]:
        """Begin to name people and to mark them; take the result before the events are acknowledged.

        `ask_last_erasure`: return `MarkingResult.last_erasure` as well.

        Raises:
            StateError: some may not have been written; do it again.
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
    """Read the direct marks that a script returns."""
    bought, opted_out, stated, latest, *answers = words
    found = Marks(int(bought or 0), int(opted_out or 0), stated, latest)
    for channel in CHANNELS:
        for name, text in zip(answers[::2], answers[1::2], strict=True):
            if name == channel:
                found.answers[channel] = ConsentAnswer.read(text)
    return found
