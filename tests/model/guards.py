"""The guards of the protocol: each can be left out, to show its purpose."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

Without = frozenset[str]
NOTHING: Without = frozenset()


@dataclass(frozen=True, slots=True)
class Guard:
    """One guard: its script or attempt, and its condition."""

    where: str
    says: str
    mix: str
    """The mix that shows its absence soonest."""
    covered_by: str = ""
    """The guard that covers for it: its absence only shows if that one is missing as well."""


_GUARDS = {
    "take_waiting": Guard("take", "only one that is `waiting`", "crashes"),
    "take_dispatched": Guard("take", "only one that has a lease, so the arrived events are recorded", "comes back"),
    "take_counts": Guard("take", "a new claim number at every take", "an operator"),
    "takes_end": Guard("take", "dead after a few takes without an orderly end", "takes"),
    "caught_up": Guard("attempt", "all events that had arrived at its dispatch are applied", "comes back"),
    "fence_ours": Guard("fence", "our claim, and `leased`", "crashes"),
    "fence_lease": Guard("fence", "the lease is alive", "comes back", covered_by="fence_ours"),
    "fence_session": Guard("fence", "the session is still abandoned", "comes back", covered_by="calls_off"),
    "fence_id": Guard("fence", "it is abandoned by this outreach", "two silences", covered_by="calls_off"),
    "fence_busy": Guard("fence", "no other outreach of the session is `sending`", "two silences"),
    "fence_first": Guard("attempt", "the fence comes before the reservation", "two sessions"),
    "reserve_limit": Guard("reserve", "no more contacts than the limit allows", "limits"),
    "reserve_waits": Guard(
        "reserve", "waits for another outreach's attempt for the length of its lease", "two sessions"
    ),
    "reserve_bought": Guard("reserve", "the person has not bought", "pays elsewhere"),
    "reserve_refused": Guard("reserve", "the person has not refused", "refuses elsewhere"),
    "reserve_all": Guard("attempt", "the person is reserved by each identity", "two identities"),
    "gives_back": Guard("attempt", "those reserved before a refused one are released", "two identities, one apart"),
    "keeps_held": Guard("attempt", "unless an attempt before may have been a contact", "two identities, repeats"),
    "links": Guard("mark", "a mark on one identity is set on those seen with it", "linked"),
    "reserve_newest": Guard("reserve", "not held by a later claim of the same outreach", "an operator, two sessions"),
    "clock_first": Guard("attempt", "the worker reads its clock before it calls the fence", "an operator"),
    "in_time": Guard("attempt", "no request is sent after too much time", "an operator"),
    "release_ours": Guard("release", "only a reservation of this attempt", "an operator, two sessions"),
    "release_certain": Guard("attempt", "released only if no attempt may have been a contact", "repeats, two sessions"),
    "release_all": Guard("attempt", "the person is released by each identity", "two identities, one apart"),
    "release_first": Guard("attempt", "released before it is settled", "two sessions"),
    "settle_ours": Guard("settle", "our claim", "an operator, three takes"),
    "settle_open": Guard("settle", "`sending`, or `unknown`", "an operator"),
    "settle_asks": Guard(
        "settle", "before a retry, the session hasn't moved on", "comes back", covered_by="fence_session"
    ),
    "ambiguous": Guard("finish", "after an unknown attempt, it ends `sent` or `unknown`", "repeats"),
    "reap_unknown": Guard("reap", "`sending` becomes `unknown`", "crashes"),
    "spares_sending": Guard("apply", "a `sending` outreach isn't cancelled", "comes back"),
    "calls_off": Guard(
        "apply", "a `waiting` or `leased` outreach is cancelled", "comes back", covered_by="fence_session"
    ),
    "misdated": Guard("apply", "an activity with a wrong clock that has just arrived counts", "misdated"),
    "stale_order": Guard("apply", "an order older than the last activity counts", "late order"),
    "marks_always": Guard("apply", "an order reports its person even if it is applied again", "pays elsewhere"),
    "marks_first": Guard("ingest", "the person is marked before the acknowledgement", "pays elsewhere"),
    "deletes_after": Guard("ingest", "an entry is deleted after it was applied", "comes back"),
    "retry_waits": Guard("retry", "an unknown one ended at least 15 minutes ago", "an operator"),
    "retry_asks": Guard(
        "retry", "the session is still abandoned by this outreach", "an operator, one event", covered_by="fence_session"
    ),
    "skeleton": Guard("forget", "a skeleton of a `sending` outreach stays", "forgotten"),
    "keeps_ambiguous": Guard("forget", "the skeleton records whether an attempt was ambiguous", "forgotten, repeats"),
    "keeps_reserved": Guard("forget", "the reservation stays", "forgotten"),
    "tombstone": Guard("forget", "older events don't restore the session", "forgotten"),
    "bars": Guard("forget", "older orders don't mark the person again", "forgotten, pays"),
}
GUARDS: Mapping[str, Guard] = MappingProxyType(_GUARDS)
