"""The shortest consequences of leaving out each guard of the protocol.

It is the table of `docs/explanation/protocol.md`.
"""

from tests.model.guards import GUARDS
from tests.mutants.lua_guards import guards

WITHOUT = {
    "take_waiting": (
        "A duplicate message takes an outreach in `sending`; the second worker ends it unsent while the first "
        "one's request is accepted"
    ),
    "take_dispatched": "A lease runs out, and a late message takes the outreach without checking for new events",
    "take_counts": "Two workers have the same claim, and both send a request",
    "takes_end": "A poison outreach keeps crashing workers",
    "caught_up": "The shopper comes back, ingest is behind, the request is sent",
    "fence_ours": "Two workers, one after the other's lease, both pass the fence",
    "fence_lease": "Covered by `fence_ours`: until it is reaped, no other worker has it",
    "fence_session, fence_id": "Covered by `calls_off`. With neither: the shopper is back, and the request is sent",
    "fence_busy": "The shopper comes back and falls silent during a request: a second one for the same session",
    "fence_first": (
        "A worker reserves the person and crashes; the other session's outreach is given up for a contact that "
        "was never made"
    ),
    "reserve_limit": "More sessions of one person than contacts are allowed, a contact for each",
    "reserve_waits": "The other session's outreach is given up for an attempt that then fails",
    "reserve_bought": "The person pays in one session and is called for the other",
    "reserve_refused": "The person refuses in one session and is called for the other",
    "reserve_all": "Two numbers and one e-mail address: each number is called",
    "gives_back": (
        "The number is reserved, the e-mail address isn't free: another session of the number is given up for "
        "a contact that was never made"
    ),
    "keeps_held": (
        "A contact without a reply. Its repetition finds the e-mail address held and releases the number that "
        "was called"
    ),
    "links": "The person pays under only the e-mail address and is called for a session that has only the number",
    "reserve_newest": (
        "A worker that resumes late takes the reservation of its successor and releases it: a second contact"
    ),
    "clock_first, in_time": (
        "A worker freezes after the fence, an operator retries the outreach, the worker resumes and sends it as well"
    ),
    "release_ours": (
        "A worker that resumes late releases the person while its successor sends: the other session sends, too"
    ),
    "release_certain": (
        "The first attempt was a contact without a reply, the second certainly none: the person is released"
    ),
    "release_all": (
        "Settled as rejected, released by e-mail address only: another session of the number is given up for nothing"
    ),
    "release_first": "Settled as dead, not yet released: the other session's outreach is given up for nothing",
    "settle_ours": "The late worker makes an outreach due again while its successor sends it",
    "settle_open": "An operator records it as sent, then the worker does: counted twice",
    "settle_asks, retry_asks": (
        "Covered by `fence_session`: an outreach whose session has moved on would be cancelled at its fence"
    ),
    "ambiguous": "A contact without a reply, then the policy refuses: recorded as suppressed",
    "reap_unknown": "A worker crashes during its request, and the outreach starts from the beginning",
    "spares_sending": "The shopper comes back during the request: recorded as cancelled, and it is accepted",
    "calls_off": "Covered by `fence_session`: it would be cancelled, but only at its fence",
    "misdated": (
        "The shopper comes back with a clock that is hours behind, and the request is sent: by its time the "
        "activity isn't new"
    ),
    "stale_order": "An order arrives after a later activity and is dropped as old",
    "marks_always": (
        "Ingest crashes between apply and mark; applied again, the order changes nothing and marks no person"
    ),
    "marks_first": "Ingest crashes after the acknowledgement: no record of the order is left",
    "deletes_after": "The entry is deleted before it is applied: dispatch counts it as applied",
    "retry_waits": "A request that timed out is accepted after an operator sent it again",
    "skeleton": "Forgotten during the request: no trace of whether it was a contact",
    "keeps_ambiguous": "A contact without a reply, forgotten during the second request, which fails: recorded as dead",
    "keeps_reserved": "Contacted, forgotten, back on the same day: contacted again",
    "tombstone, bars": "An earlier event that ingest is still processing restores the person",
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
