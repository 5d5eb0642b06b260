"""One attempt, in the order of `tasks.delivery.attempt` and `.sending`. Anything can happen between two steps."""

from collections.abc import Iterator

from tests.model import outbox, people
from tests.model.guards import Without
from tests.model.mixes import Mix
from tests.model.states import Worker, World, of_session, with_workers

CERTAIN = frozenset({"rejected", "unavailable", "not_sent"})
"""After these, certainly no contact was made."""
GIVEN_BACK = CERTAIN | {"suppressed"}
"""After these, no request or no contact was made."""
RESULTS = {"accepted": "sent", "rejected": "dead", "unavailable": "retry", "not_sent": "not_sent"}

Choice = tuple[str, tuple[object, ...], World]


def takes(world: World, place: int, most_takes: int, without: Without) -> World:
    """Let a message arrive at a worker."""
    before = world.outreaches[place]
    said, world = outbox.take(world, place, most_takes, without)
    if said != "taken":
        return world
    return with_workers(world, None, Worker(place, world.outreaches[place].token, before.ambiguous, before.barrier))


def caught_up(world: World, worker: Worker) -> bool:
    """Return whether everything that had arrived at the dispatch is applied; this never changes back."""
    return not world.stream or world.stream[0].number > worker.barrier


def goes_on(world: World, worker: Worker, mix: Mix, without: Without) -> Iterator[Choice]:
    """Yield a worker's possible next steps: the step, its arguments, and the world after it."""
    me = (worker.outreach, worker.token)
    match worker.step:
        case "taken":
            yield from _decides(world, worker, mix, without)
        case "holding":
            yield "fence", me, _fences(world, worker, without)
        case "busy":
            yield "postpone", me, with_workers(outbox.postpone(world, *me)[1], worker, None)
        case "fenced":
            yield "reserve", me, _reserves(world, worker, mix, without)
        case "reserved":
            yield from _posts(world, worker, mix, without)
        case "release" if worker.reserved and (worker.reply in GIVEN_BACK or "release_certain" in without):
            yield "release", me, _releases(world, worker, without)
        case _:
            yield from _settles(world, worker, mix, without)


def _decides(world: World, worker: Worker, mix: Mix, without: Without) -> Iterator[Choice]:
    me = (worker.outreach, worker.token)
    late = not caught_up(world, worker) and "caught_up" not in without
    if late or mix.policy:
        yield "postpone", me, with_workers(outbox.postpone(world, *me)[1], worker, None)
    if late:
        return
    if mix.policy:
        yield "end_unsent", me, with_workers(outbox.end_unsent(world, *me, "suppressed", without)[1], worker, None)
    if "fence_first" in without:
        owner = _identities(world, worker)[0]
        said, after = people.reserve(world, *me, owner, mix.limit, without)
        then = worker._replace(step="holding", reserved=1) if said == "reserved" else None
        after = after if then else outbox.end_unsent(after, *me, "suppressed", without)[1]
        yield "reserve", me, with_workers(after, worker, then)
        return
    yield "fence", me, _fences(world, worker, without)


def _fences(world: World, worker: Worker, without: Without) -> World:
    said, after = outbox.fence(world, worker.outreach, worker.token, without)
    passed = "reserved" if worker.step == "holding" else "fenced"
    then = {"sending": passed, "busy": "busy"}.get(said)
    return with_workers(after, worker, worker._replace(step=then) if then else None)


def _identities(world: World, worker: Worker) -> tuple[int, ...]:
    return of_session(world, world.outreaches[worker.outreach].owner)


def _reserves(world: World, worker: Worker, mix: Mix, without: Without) -> World:
    """Reserve the person by one identity after the other; if one is refused, release the ones before."""
    owners = _identities(world, worker)
    me = (worker.outreach, worker.token)
    said, after = people.reserve(world, *me, owners[worker.reserved], mix.limit, without)
    if said == "reserved":
        reserved = worker.reserved + 1
        done = reserved == len(owners) or "reserve_all" in without
        return with_workers(after, worker, worker._replace(step="reserved" if done else "fenced", reserved=reserved))
    reply = "suppressed" if said in {"limited", "bought", "refused"} else "not_sent"
    certain = not worker.ambiguous or "keeps_held" in without
    gives_back = worker.reserved and certain and "gives_back" not in without
    return with_workers(after, worker, worker._replace(step="release" if gives_back else "settle", reply=reply))


def _releases(world: World, worker: Worker, without: Without) -> World:
    """Release the person by one identity after the other, the last reserved first."""
    left = worker.reserved - 1
    owner = _identities(world, worker)[left]
    after = people.release(world, worker.outreach, worker.token, owner, without)
    if left and "release_all" not in without:
        return with_workers(after, worker, worker._replace(reserved=left))
    then = worker._replace(step="settle", reserved=0) if "release_first" not in without else None
    return with_workers(after, worker, then)


def _posts(world: World, worker: Worker, mix: Mix, without: Without) -> Iterator[Choice]:
    late = worker.late and "in_time" not in without
    for reply in ("not_sent",) if late else mix.replies:
        after = world
        if reply.startswith("accepted"):
            after = people.contact(after, worker.outreach, knows_keys=mix.repeats)
        if reply == "undecided":
            after = after._replace(requests=tuple(sorted({*after.requests, worker.outreach})))
        known = reply if reply in {"accepted", *CERTAIN} else "undecided"
        free = known in CERTAIN and (not worker.ambiguous or "release_certain" in without)
        step = "release" if free and "release_first" not in without else "settle"
        yield (
            "post",
            (worker.outreach, worker.token, reply),
            with_workers(after, worker, worker._replace(step=step, reply=known, late=False)),
        )


def _settles(world: World, worker: Worker, mix: Mix, without: Without) -> Iterator[Choice]:
    me = (worker.outreach, worker.token)
    free = worker.reserved and worker.reply in CERTAIN and not worker.ambiguous and "release_first" in without
    then = worker._replace(step="release") if free else None
    if worker.reply == "undecided":
        _, after = outbox.settle(world, *me, "unknown", without, ambiguous=True)
        yield "settle", (*me, "unknown"), with_workers(after, worker, then)
        if mix.repeats:
            _, after = outbox.settle(world, *me, "retry", without, ambiguous=True)
            yield "settle", (*me, "repeat"), with_workers(after, worker, then)
        return
    result = RESULTS.get(worker.reply, "suppressed")
    _, after = outbox.settle(world, *me, result, without)
    yield "settle", (*me, result), with_workers(after, worker, then)


def api_decides(world: World, place: int, *, accepts: bool, repeats: bool) -> World:
    """Let the API accept a request that timed out, or drop it."""
    world = world._replace(requests=tuple(found for found in world.requests if found != place))
    return people.contact(world, place, knows_keys=repeats) if accepts else world


def lease_ends(world: World, place: int, without: Without) -> World:
    """Let a lease expire, and with it the time of its worker since its fence."""
    found = world.outreaches[place]
    outreaches = list(world.outreaches)
    outreaches[place] = found._replace(lease_over=True)
    late = {"reserved"} if "clock_first" in without else {"fenced", "reserved"}
    workers = [
        worker._replace(late=True)
        if (worker.outreach, worker.token) == (place, found.token) and worker.step in late
        else worker
        for worker in world.workers
    ]
    return world._replace(outreaches=tuple(outreaches), workers=tuple(sorted(workers)))


def may_grow_old(world: World, owner: int) -> bool:
    """Return whether reservations can be older than a lease: only after the leases in which they were made."""
    young = [held for held in world.people[owner].held if not held.long]
    for held in young:
        holder = world.outreaches[held.outreach]
        if holder.state == "sending" and holder.token == held.token and not holder.lease_over:
            return False
    return bool(young)
