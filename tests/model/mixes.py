"""The contents of one search: the numbers of sessions, events, silences and takes, and the faults and people."""

from dataclasses import dataclass

REPLIES = ("accepted", "accepted_but_lost", "lost", "undecided", "rejected", "unavailable")


@dataclass(frozen=True, slots=True)
class Mix:
    """The bounds of one search. Crashes, stalls, lost and duplicate messages and lost leases are never bounded."""

    name: str
    sessions: int = 1
    people: int = 1
    identities: tuple[tuple[int, ...], ...] = ()
    """The identities of each session's person; none: one each, and every second session has the second person."""
    limit: int = 1
    """How many contacts of one person are allowed."""
    events: tuple[str, ...] = ()
    """The possible actions of shoppers, each once, in any session and at any time."""
    outreaches: int = 1
    """How many are made, the first of each session included; with fewer than sessions, the last ones have none."""
    claims: tuple[int, ...] = (2,)
    """How often each can be taken; the last number is for all others, too."""
    workers: int = 2
    most_takes: int = 5
    operator: bool = False
    forgets: bool = False
    repeats: bool = False
    """`on_unknown = "retry"`, against an API that honours the key."""
    policy: bool = True
    """The policy can postpone or end an outreach, and an operator can expire it."""
    replies: tuple[str, ...] = REPLIES
    """Possible results of a request; for `undecided` ones, the API can decide at any later time."""


SURE = ("accepted", "rejected", "unavailable")
TWO = ("accepted", "unavailable")

SHORT = (
    Mix("crashes", claims=(3,)),
    Mix("takes", claims=(3,), workers=1, most_takes=2, replies=SURE),
    Mix(
        "takes, repeats",
        claims=(3,),
        workers=1,
        most_takes=1,
        repeats=True,
        replies=("accepted_but_lost",),
    ),
    Mix("comes back", events=("activity",)),
    Mix("misdated", events=("misdated activity",), outreaches=2, claims=(1,), replies=SURE),
    Mix("late order", events=("order", "activity"), outreaches=2, claims=(1,), workers=1, replies=TWO),
    Mix("two silences", events=("activity",), outreaches=2, claims=(1,), replies=SURE),
    Mix("two sessions", sessions=2, outreaches=2, claims=(1,)),
    Mix(
        "pays elsewhere",
        sessions=2,
        outreaches=2,
        events=("order",),
        claims=(1,),
        workers=1,
        replies=("accepted",),
        policy=False,
    ),
    Mix(
        "refuses elsewhere",
        sessions=2,
        outreaches=2,
        events=("refusal",),
        claims=(1,),
        workers=1,
        replies=("accepted",),
        policy=False,
    ),
    Mix("limits", sessions=3, outreaches=3, limit=2, claims=(1,), workers=1, replies=TWO, policy=False),
    Mix(
        "two identities",
        sessions=2,
        people=3,
        identities=((0, 2), (1, 2)),
        outreaches=2,
        claims=(1,),
        replies=TWO,
        policy=False,
    ),
    Mix(
        "two identities, one apart",
        sessions=3,
        people=2,
        identities=((0, 1), (1,), (0,)),
        outreaches=3,
        claims=(1,),
        workers=1,
        replies=("accepted",),
        policy=False,
    ),
    Mix(
        "two identities, repeats",
        sessions=2,
        people=3,
        identities=((0, 2), (1, 2)),
        limit=2,
        outreaches=2,
        claims=(2, 1),
        workers=1,
        repeats=True,
        replies=("accepted_but_lost",),
        policy=False,
    ),
    Mix(
        "linked",
        sessions=3,
        people=2,
        identities=((0,), (1,), (0, 1)),
        events=("order",),
        claims=(1,),
        workers=1,
        replies=("accepted",),
        policy=False,
    ),
    Mix("an operator", operator=True),
    Mix("an operator, one event", operator=True, events=("activity",), workers=1, replies=TWO),
    Mix("an operator, three takes", operator=True, claims=(3,), replies=SURE, policy=False),
    Mix("an operator, two sessions", sessions=2, outreaches=2, claims=(2, 1), operator=True, replies=TWO, policy=False),
    Mix("repeats", repeats=True),
    Mix(
        "repeats, two sessions",
        repeats=True,
        sessions=2,
        outreaches=2,
        workers=1,
        replies=("accepted_but_lost", "unavailable"),
        policy=False,
    ),
    Mix("forgotten", events=("activity",), outreaches=2, claims=(1,), workers=1, forgets=True, replies=SURE),
    Mix("forgotten, pays", events=("order",), claims=(1,), workers=1, forgets=True, replies=("accepted",)),
    Mix("forgotten, repeats", workers=1, forgets=True, repeats=True),
)

LONG = (
    Mix("long: an operator, two sessions", sessions=2, outreaches=2, operator=True, replies=TWO, policy=False),
    Mix("long: crashes", claims=(5,), workers=3),
    Mix("long: comes back", events=("activity", "activity"), outreaches=2, claims=(2,)),
    Mix("long: an operator", operator=True, claims=(4,), events=("activity",)),
    Mix("long: two sessions", sessions=2, outreaches=2, claims=(2,), policy=False),
    Mix(
        "long: repeats, two sessions",
        repeats=True,
        sessions=2,
        outreaches=2,
        replies=("accepted_but_lost", "unavailable"),
        policy=False,
    ),
    Mix("long: pays elsewhere", sessions=2, outreaches=2, events=("order",), claims=(2,), workers=1, replies=TWO),
    Mix("long: forgotten", events=("activity",), outreaches=2, claims=(2,), forgets=True),
    Mix("long: forgotten, operator", events=("order",), operator=True, forgets=True, workers=1),
)
