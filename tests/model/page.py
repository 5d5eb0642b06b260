"""The shortest consequences of leaving out each guard of the protocol.

It is the table of `docs/explanation/protocol.md`.
"""

from tests.model.guards import GUARDS
from tests.mutants.lua_guards import guards

WITHOUT = {
    "take_waiting": (
        "A doubled message takes what is `sending`; the second worker ends it unsent while the first one's "
        "request is accepted"
    ),
    "take_dispatched": "A lease expires, and a late message takes the outreach without a check of arrived events",
    "take_counts": "Two workers have the same claim, and both post",
    "takes_end": "A poison outreach keeps crashing workers",
    "caught_up": "They come back, ingest is behind, the request goes out",
    "fence_ours": "Two workers, one after the other's lease, both pass the fence",
    "fence_lease": "Covered by `fence_ours`: until it is reaped, no other worker has it",
    "fence_session, fence_id": "Covered by `calls_off`. With neither: they came back, and the request goes out",
    "fence_busy": "They come back and fall silent again during a request: a second one for the same session",
    "fence_first": (
        "A worker reserves the person and dies; the other session's outreach is given up for a contact that "
        "was never made"
    ),
    "reserve_limit": "More sessions of one person than contacts are allowed, a contact for each",
    "reserve_waits": "The other session's outreach is given up for an attempt that then fails",
    "reserve_bought": "They pay in one session and are called for the other",
    "reserve_refused": "They refuse in one session and are called for the other",
    "reserve_all": "Two numbers and one e-mail address: each number is called",
    "gives_back": (
        "The number is reserved, the e-mail address isn't free: another session of the number is given up for "
        "a contact that was never made"
    ),
    "keeps_held": (
        "A contact without a reply. Its repetition finds the e-mail address held and releases the number that "
        "was called"
    ),
    "links": "They pay with only the e-mail address and are called for a session that knows only their number",
    "reserve_newest": (
        "A worker that woke up late takes the reservation of its successor and gives it back: a second contact"
    ),
    "clock_first, in_time": (
        "A worker freezes after the fence, an operator has it retried, the worker wakes up and posts as well"
    ),
    "release_ours": (
        "A worker that woke up late frees the person while its successor posts: the other session does so, too"
    ),
    "release_certain": "The first attempt was a contact without a reply, the second surely none: the person is freed",
    "release_all": (
        "Settled as rejected, released by e-mail address only: another session of the number is given up for nothing"
    ),
    "release_first": "Settled as dead, not yet released: the other session's outreach is given up for nothing",
    "settle_ours": "The late worker makes an outreach due again that its successor is just posting",
    "settle_open": "An operator has recorded it as sent, then the worker does: counted twice",
    "settle_asks, retry_asks": (
        "Covered by `fence_session`: one that has moved on would wait, only to be cancelled at its fence"
    ),
    "ambiguous": "A contact without a reply, then the policy says no: recorded as suppressed",
    "reap_unknown": "A worker dies during its request, and the outreach starts from the beginning",
    "spares_sending": "They come back during the request: recorded as cancelled, and it is accepted",
    "calls_off": "Covered by `fence_session`: it would be cancelled, but only at its fence",
    "misdated": (
        "They come back with a clock that is hours behind, and the request goes out: by its time their "
        "activity was long known"
    ),
    "stale_order": "An order arrives after a later activity and is dropped as old",
    "marks_always": "Ingest dies between apply and mark; applied again, the order changes nothing and marks no person",
    "marks_first": "Ingest dies after the acknowledgement: no record of the order is left",
    "deletes_after": "The entry is deleted before it is applied: dispatch finds no unapplied entry",
    "retry_waits": "A request that timed out is accepted after an operator had it sent again",
    "skeleton": "Forgotten during the request: no trace of whether it was a contact",
    "keeps_ambiguous": "A contact without a reply, forgotten during the second request, which fails: recorded as dead",
    "keeps_reserved": "Contacted, forgotten, back on the same day: contacted again",
    "tombstone, bars": "An older event, which ingest still holds, restores the person",
}


def guard_table() -> str:
    """Return the table in Markdown. A guard in a script has a mark there; the others are in Python."""
    rows = ["| guard | in | without it |", "|---|---|---|"]
    for together, story in WITHOUT.items():
        names = together.split(", ")
        places = ", ".join(dict.fromkeys(map(_place, names)))
        rows.append(f"| {', '.join(f'`{name}`' for name in names)} | {places} | {story} |")
    return "\n".join(rows)


def _place(name: str) -> str:
    return f"`{guards()[name].file}.lua`" if name in guards() else GUARDS[name].where
