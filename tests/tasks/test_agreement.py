"""Workers that were started in different modes: none of them acts until all running workers agree."""

from typing import Any

from state.announcements import DECLARATION_COUNTS_MS, announce, read_announcements, withdraw
from state.keys import DAY_MS, HEARTBEAT_TTL_MS
from tests.support.agreeing import LIVE, SHADOW, says, worker
from tests.support.control_support import granted, held, passes, sending
from tests.support.durations import HOUR_MS
from tests.support.stored_state import now_ms, texts, ttl_ms
from worker.runtime import State


def let_declarations_age(state: State, ms: int = DECLARATION_COUNTS_MS + 1, *processes: str) -> None:
    for process, said in texts(state, state.keys.workers).items():
        at, how = said.split(" ", 1)
        if not processes or process in processes:
            state.client.hset(state.keys.workers, process, f"{int(at) - ms} {how}")


def test_the_first_worker_decides_how_the_deployment_sends(state: State) -> None:
    assert not worker(state, LIVE).agreed()
    assert says(state, "a:1", LIVE) == "agreed"
    assert worker(state, LIVE).agreed()
    assert not worker(state, SHADOW).agreed()
    assert 0 < (ttl_ms(state, state.keys.workers) or 0) <= DAY_MS


def test_workers_that_agree_all_act(state: State) -> None:
    assert [says(state, process, LIVE) for process in ("a:1", "b:1", "a:1")] == ["agreed"] * 3
    passes(worker(state, LIVE))


def test_while_workers_disagree_none_of_them_acts(state: State) -> None:
    says(state, "a:1", LIVE)
    assert says(state, "b:1", SHADOW) == "mixed"
    assert says(state, "a:1", LIVE) == "mixed"
    assert [worker(state, how).agreed() for how in (LIVE, SHADOW)] == [False, False]
    assert worker(state, LIVE).gate(held()) == "mixed"
    assert granted(worker(state, LIVE)) == 0
    assert sending(state).sending_state == "mixed"
    assert abs((sending(state).since_ms or 0) - now_ms(state)) < HOUR_MS


def test_the_record_follows_when_the_other_worker_has_ended(state: State) -> None:
    says(state, "a:1", LIVE)
    says(state, "b:1", SHADOW)
    withdraw(state.scripts, state.keys, "a:1")
    assert says(state, "b:1", SHADOW) == "agreed"
    assert [worker(state, how).agreed() for how in (LIVE, SHADOW)] == [False, True]
    assert worker(state, LIVE).gate(held()) == "another_mode"
    assert sending(state).sending_state == "on"
    assert granted(worker(state, SHADOW)) > 0


def test_the_worker_that_stays_acts_again_when_the_odd_one_ends(state: State) -> None:
    says(state, "a:1", LIVE)
    says(state, "b:1", SHADOW)
    withdraw(state.scripts, state.keys, "b:1")
    assert says(state, "a:1", LIVE) == "agreed"
    assert worker(state, LIVE).agreed()
    passes(worker(state, LIVE))


def test_the_record_follows_when_the_other_worker_is_silent(state: State) -> None:
    says(state, "a:1", LIVE)
    says(state, "b:1", SHADOW)
    let_declarations_age(state, DECLARATION_COUNTS_MS - 5_000, "a:1")
    assert says(state, "b:1", SHADOW) == "mixed"
    let_declarations_age(state, DECLARATION_COUNTS_MS, "a:1")
    assert says(state, "b:1", SHADOW) == "agreed"


def test_a_worker_that_wakes_up_stops_all_again(state: State) -> None:
    says(state, "a:1", LIVE)
    let_declarations_age(state)
    says(state, "b:1", SHADOW)
    assert says(state, "b:1", SHADOW) == "agreed"
    assert worker(state, LIVE).gate(held()) == "another_mode"
    assert says(state, "a:1", LIVE) == "mixed"
    assert not worker(state, SHADOW).agreed()


def test_after_an_outage_the_first_worker_waits_for_the_others(state: State) -> None:
    says(state, "a:1", LIVE)
    says(state, "b:1", SHADOW)
    let_declarations_age(state)
    assert says(state, "b:1", SHADOW) == "waits"
    assert [worker(state, how).agreed() for how in (LIVE, SHADOW)] == [False, False]
    assert says(state, "a:1", LIVE) == "mixed"


def test_a_restarted_worker_follows_its_own_declaration(state: State) -> None:
    says(state, "a:1", LIVE)
    assert says(state, "a:1", SHADOW) == "agreed"
    assert worker(state, SHADOW).agreed()


def test_a_worker_that_starts_after_a_crash_waits_one_round(state: State) -> None:
    says(state, "a:1", LIVE)
    let_declarations_age(state)
    assert says(state, "b:1", SHADOW) == "waits"
    assert not worker(state, SHADOW).agreed()
    assert says(state, "b:1", SHADOW) == "agreed"


def test_a_clock_put_back_keeps_no_declaration_for_longer(state: State) -> None:
    says(state, "a:1", LIVE)
    let_declarations_age(state, -HOUR_MS, "a:1")
    assert says(state, "b:1", SHADOW) == "mixed"
    assert abs(int(texts(state, state.keys.workers)["a:1"].split()[0]) - now_ms(state)) < HOUR_MS // 2


def test_a_declaration_of_yesterday_is_removed(state: State) -> None:
    says(state, "a:1", LIVE)
    let_declarations_age(state, DAY_MS + 1)
    says(state, "b:1", LIVE)
    assert set(texts(state, state.keys.workers)) == {"b:1"}


def test_an_announcement_of_yesterday_is_removed(state: State) -> None:
    announce(state.scripts, state.keys, "recover", {"mode": "live"}, "a:1")
    key = state.keys.announced("recover")
    state.client.hset(key, "a:1", f"{now_ms(state) - HEARTBEAT_TTL_MS - 1} {{}}")
    state.client.hset(key, "c:1", "rubbish")
    announce(state.scripts, state.keys, "recover", {"mode": "shadow"}, "b:1")
    client: Any = state.client
    (found,) = read_announcements({name.decode(): text.decode() for name, text in client.hgetall(key).items()})
    assert (found.process, found.about) == ("b:1", {"mode": "shadow"})
    assert 0 < (ttl_ms(state, key) or 0) <= HEARTBEAT_TTL_MS
