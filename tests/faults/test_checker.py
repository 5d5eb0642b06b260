"""The checker finds the violations that it is made for: one good run, tampered with in every relevant way."""

from collections.abc import Callable, Iterator
from random import Random

import httpx
import pytest

from state.partitions import partition_of
from tests.faults.checker import check
from tests.faults.fault import USUAL
from tests.faults.ledger import Request
from tests.faults.shop import NAME, Shop, Told
from tests.faults.system import System
from worker.monitoring.alarms import ALARM

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e_more")]

Day = tuple[System, Shop]


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    """A run without problems."""
    with System(tmp_path_factory.mktemp("day") / "one", {}) as system:
        shop = Shop(system.server.url, Random(1), "day")
        shop.open(12, kinds=(("leaves", 2), ("pays", 1), ("anonymous", 1)))
        system.until(lambda: not shop.busy)
        system.until(system.is_settled)
        shop.close()
        yield system, shop


def test_a_day_on_which_nothing_goes_wrong_has_no_violation(day: Day) -> None:
    verdict = check(*day, allowed=USUAL)
    assert verdict.violations == []
    assert (verdict.sessions, verdict.duplicates, verdict.losses) == (12, 0, 0)
    assert 0 < verdict.contacts == verdict.requests


def contacted_again(system: System, shop: Shop) -> Callable[[], None]:
    request = _first(system, shop)
    headers = {"x-idempotency-key": request.key}
    httpx.post(system.api.url, content=request.body.encode(), headers=headers, trust_env=False)
    return lambda: None


def outcome_lost(system: System, shop: Shop) -> Callable[[], None]:
    key = _outreach_of(system, _first(system, shop).session)
    return _overwritten(system, key, "state", "leased")


def session_lost(system: System, shop: Shop) -> Callable[[], None]:
    return _overwritten(system, system.state.keys.session(_first(system, shop).session), "state", "superseded")


def recorded_as_dead(system: System, shop: Shop) -> Callable[[], None]:
    key = _outreach_of(system, _first(system, shop).session)
    return _overwritten(system, key, "state", "dead")


def contacted_a_buyer(system: System, shop: Shop) -> Callable[[], None]:
    visit = shop.visits[_first(system, shop).session]
    visit.kind = "pays"
    return lambda: setattr(visit, "kind", "leaves")


def returned_before_the_dispatch(system: System, shop: Shop) -> Callable[[], None]:
    request = _first(system, shop)
    visit = shop.visits[request.session]
    last = visit.told[-1]
    entry = f"{int(last.entry.partition('-')[0]) + 1}-0"
    visit.told.append(Told(request.at - 0.001, last.stream, entry, "activity", "2999-01-01T00:00:00+00:00"))
    return lambda: visit.told.remove(visit.told[-1])


def still_due(system: System, shop: Shop) -> Callable[[], None]:
    key = system.state.keys.due(partition_of(next(iter(shop.visits))))
    # Far in the future: the roles examine due outreaches, and would find that this one doesn't exist.
    system.redis.zadd(key, {"00-0123456789abcdef": 2**52})
    return lambda: system.redis.delete(key)


def claimed_late(system: System, shop: Shop) -> Callable[[], None]:
    key = _outreach_of(system, _first(system, shop).session)
    claimed = int(system.redis.hget(key, "claimed_at") or 0)
    # On a busy machine, a role might have started late, and that alarm would excuse the claim.
    log = system.log[:]
    system.log[:] = [line for line in log if ALARM not in line[2]]
    restore = _overwritten(system, key, "claimed_at", str(claimed - 60_000))

    def undo() -> None:
        restore()
        system.log[:] = log

    return undo


def named_in_a_log(system: System, shop: Shop) -> Callable[[], None]:
    del shop
    system.log.append((0.0, "recover", f"could not call {NAME}"))
    return lambda: system.log.remove(system.log[-1])


def named_in_the_broker(system: System, shop: Shop) -> Callable[[], None]:
    del shop
    with system.broker as broker:
        broker.set("message", NAME)
    return lambda: None


@pytest.mark.parametrize(
    ("tamper", "found"),
    [
        (outcome_lost, "I2: outreach"),
        (session_lost, "I2: the session is superseded"),
        (recorded_as_dead, "I1: a contact was made, and the record says otherwise"),
        (contacted_a_buyer, "I3: contacted although they had paid"),
        (returned_before_the_dispatch, "I3: newer activity had reached Redis"),
        (claimed_late, "I6: outreach"),
        (still_due, "I2: still in"),
        (named_in_a_log, "I4: recover logged"),
        (named_in_the_broker, "I4: b'message' of the broker"),
        (contacted_again, "I1: a person was contacted more than once"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_violations_are_found_and_reported(day: Day, tamper: Callable[..., Callable[[], None]], found: str) -> None:
    mend = tamper(*day)
    try:
        verdict = check(*day, allowed=USUAL)
    finally:
        mend()
    assert any(problem.startswith(found) for problem in verdict.violations), verdict.violations


def _first(system: System, shop: Shop) -> Request:
    return next(request for request in system.api.requests() if request.session in shop.visits)


def _outreach_of(system: System, session: str) -> str:
    (found,) = system.state.sessions.read([session])
    return system.state.keys.outreach(found.outreach or found.outreaches[-1])


def _overwritten(system: System, key: str, field: str, value: str) -> Callable[[], None]:
    before = system.redis.hget(key, field)
    system.redis.hset(key, field, value)
    return lambda: system.redis.hset(key, field, before)
