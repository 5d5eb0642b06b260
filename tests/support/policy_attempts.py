"""Attempts that a rule of the policy affects."""

import json
from dataclasses import replace

from tasks.deps import Deps
from tasks.policy.settings import ContactSettings
from tasks.policy.shares import share_of
from tests.support.attempts import PERSON
from tests.support.durations import HOUR_MS, MINUTE_MS
from tests.support.events import JANE, event, happen
from tests.support.ingest_support import ingest_of
from tests.support.outreaches import dispatch, sweep
from tests.support.stored_state import now_ms, stored
from worker.runtime import State


def contact(**settings: object) -> ContactSettings:
    return ContactSettings.model_validate({"quiet_hours": "off", "law": "off", **settings})


def dispatched(state: State, **fields: object) -> str:
    happen(state, event(customer={**JANE, **fields.pop("customer", {})}, **fields), ago_ms=HOUR_MS)  # type: ignore[dict-item, arg-type]
    assert sweep(state) == 1
    outreach = stored(state).outreach
    assert outreach in dispatch(state)
    return outreach


def elsewhere(state: State, *, ago_ms: int = MINUTE_MS, **fields: object) -> None:
    """Add an event of another session of the same person, which arrived and occurred this long ago."""
    made = json.dumps(event(session="s-2", **{"customer": JANE, **fields}))  # type: ignore[arg-type]
    client = state.scripts.client
    client.execute_command("XADD", state.keys.events, f"{now_ms(state) - ago_ms}-0", "event", made)
    ingest_of(state).step()


def holding(deps: Deps, *, held: bool) -> Deps:
    """Return settings with Jane in or outside the holdout."""
    share = share_of(PERSON, "holdout ")
    return replace(deps, contact=contact(holdout=share + 0.01 if held else share))
