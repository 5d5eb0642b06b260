"""Forgets a person: removes every trace of them, and scans every key to prove that none is left."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial

from detectors.activity import ActivityEvent
from detectors.sequence import occurred_ms, position
from state.erasure import Erased, Erasure
from state.event_stream import StreamEntry
from state.inventory import person_in
from state.optouts import SHOP, OptOuts
from state.privacy_requests import PrivacyRequest
from tasks.erasure.data_subject import DataSubject
from tasks.erasure.personal_data import ErasureProof, Finder, Known, PersonalData, Progress, UnreadEvent
from tasks.failpoints import reached

MOST_ROUNDS = 5
"""Ingest can apply events that it had already read while data is removed. Then another round is needed."""


@dataclass(frozen=True, slots=True)
class ForgetResult:
    """The removed data, and the result of a scan of every key afterwards."""

    erased: Erased
    entries: int
    rejected: int
    outcomes: int
    person_keys: int
    opted_out: bool
    """Whether an opt-out hadn't been applied yet. The person is on the opt-out list now."""
    refused: bool
    """The same for a refusal."""
    waiting: int
    """Records of visitors with data that waited for a session."""
    data_requests: int
    """Open requests for a copy of the data. They are closed: nothing is left to hand out."""
    erasures: tuple[str, ...]
    """Open requests to erase the person, each of which names them until it is done. Empty for such a request."""
    mentions: int
    """Number of removals from keys of other people: sessions and links."""
    kept: tuple[str, ...]
    """Keys of the person that stay. The command gives the reason."""
    searched: int
    """Number of keys scanned for a trace; 0 without a full scan."""
    left: tuple[str, ...]
    """Keys that still hold a trace. If there are any, there is a bug."""
    slow_log_cleared: bool
    """Whether the server's logs of slow and large commands were cleared: they can contain names and numbers."""


@dataclass(slots=True)
class _Done:
    erased: Erased = field(default_factory=Erased)
    entries: int = 0
    rejected: int = 0
    outcomes: int = 0
    person_keys: int = 0
    opted_out: bool = False
    refused: bool = False
    waiting: int = 0
    data_requests: int = 0


class Forget:
    """Forgets one person."""

    def __init__(
        self,
        erasure: Erasure,
        opt_outs: OptOuts,
        progress: Progress,
        *,
        follow: bool = True,
        scan: bool = True,
        may_scan: bool = True,
    ) -> None:
        """Prepare. `follow` and `scan` are those of `Finder`. `may_scan`: scan if an index is full."""
        self._may_scan = may_scan
        self._state = erasure
        self._opt_outs = opt_outs
        self._finder_of = partial(Finder, erasure, progress, follow=follow)
        self._finder = self._finder_of(scan=scan)
        self.scans = scan
        """Whether every key is scanned: on request, or because an index is full."""

    def survey(self, subject: DataSubject) -> PersonalData:
        """Find all data to remove; see `Finder.survey`."""
        found = self._finder.survey(subject)
        if self._may_scan and not self.scans and self._state.index_is_full(subject.people):
            self.scans, self._finder = True, self._finder_of(scan=True)
            found = self._finder.survey(subject)
        found.person_keys = [key for person in subject.people for key in self._state.split(person)[0]]
        return found

    def forget(self, subject: DataSubject, found: PersonalData) -> ForgetResult:
        """Remove the found data and data that appears in the meantime, then scan every key."""
        done = _Done()
        # Do this before the person's own keys, which name the others, are removed.
        mentioned_in = self._state.mentions(subject.people)
        for _ in range(MOST_ROUNDS):
            self._remove(subject, found, done)
            reached("data_removed")
            found = self.survey(subject)
            if not found:
                break
        erased_ids = [*subject.sessions, *subject.people]
        mentions = sum(self._state.remove_mentions(key, erased_ids) for key in mentioned_in)
        proof, more = self._verify_erased(subject) if self.scans else (ErasureProof((), 0, ()), 0)
        kept = [key for person in subject.people for key in self._state.split(person)[1]]
        return ForgetResult(
            erased=done.erased,
            entries=done.entries,
            rejected=done.rejected,
            outcomes=done.outcomes,
            person_keys=done.person_keys,
            opted_out=done.opted_out,
            refused=done.refused,
            waiting=done.waiting,
            data_requests=done.data_requests,
            erasures=tuple(one.id for one in self._erasures(subject)) if self._may_scan else (),
            mentions=mentions + more,
            kept=tuple(kept),
            searched=proof.searched,
            left=(*proof.left, *found.person_keys),
            slow_log_cleared=self._state.clear_slow_log(),
        )

    def _remove(self, subject: DataSubject, found: PersonalData, done: _Done) -> None:
        # Before and after the removal: ingest writes its notes again after each announcement.
        self._state.signal_erasure()
        # First: data that waits is sent with the visitor's next event.
        done.waiting += self._state.visitors.remove(found.waiting)
        # Before their events are removed: opt-outs and refusals must outlive all other data.
        self._keep_refusals(subject, found.entries, done)
        self._state.remove_entries([(one.stream, one.entry_id) for one in found.entries])
        self._state.remove_copies()
        done.erased = _sum(done.erased, self._state.erase(subject.sessions, found.outreaches))
        self._state.remove_rejected([entry_id for entry_id, _ in found.rejected])
        self._state.feed.erase([one.entry for one in found.outcomes if one.entry])
        if found:
            for person in subject.people:
                self._state.block_replays(person)
        self._state.delete(found.person_keys)
        self._state.signal_erasure()
        for person in subject.people:
            self._state.strip_consent(person)
        done.data_requests += sum(map(self._state.requests.finish, found.data_requests))
        done.entries += len(found.entries)
        done.rejected += len(found.rejected)
        done.outcomes += len(found.outcomes)
        done.person_keys += len(found.person_keys)

    def _keep_refusals(self, subject: DataSubject, entries: Iterable[UnreadEvent], done: _Done) -> None:
        for one in entries:
            if one.event is None:
                continue
            if one.event.type == "opt_out":
                self._opt_outs.add(subject.people, SHOP)
                done.opted_out = done.opted_out or bool(subject.people)
            at_ms = _occurred_ms(one, one.event)
            if refused := _refused(one.event):
                for person in subject.people:
                    self._state.refuse(person, refused, at_ms)
                    done.refused = True

    def _erasures(self, subject: DataSubject) -> Iterator[PrivacyRequest]:
        for one in self._state.requests.open("erasure"):
            known = {*one.found.get("identities", ()), *one.found.get("sessions", ())}
            if any(map(subject.is_customer, one.people)) or known & {*subject.identities, *subject.sessions}:
                yield one

    def _verify_erased(self, subject: DataSubject) -> tuple[ErasureProof, int]:
        """Scan every key. If sessions and links of the person were removed from others' keys, scan again."""
        known = Known(frozenset(self._state.requests.key(one.id) for one in self._erasures(subject)))
        proof = self._finder.prove(subject, known)
        erased_ids = [*subject.sessions, *subject.people]
        mentions = sum(self._state.remove_mentions(key, erased_ids) for key in proof.left if person_in(key))
        mentions += self._state.visitors.remove(filter(None, map(self._state.visitors.name_in, proof.left)))
        return (self._finder.prove(subject, known), mentions) if mentions else (proof, 0)


def _refused(event: ActivityEvent) -> list[str]:
    consent = event.customer.consent if event.customer else None
    if consent is None:
        return []
    return [channel for channel in ("call", "whatsapp") if getattr(consent, channel) is False]


def _occurred_ms(one: UnreadEvent, event: ActivityEvent) -> int:
    return occurred_ms(position(event, StreamEntry(one.entry_id, one.raw).arrival_ms).stamp)


def _sum(one: Erased, other: Erased) -> Erased:
    return Erased(one.sessions + other.sessions, one.outreaches + other.outreaches, one.skeletons + other.skeletons)
