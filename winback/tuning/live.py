"""The recommended thresholds from the counters in Redis."""

from collections.abc import Iterable

from detectors.lanes import milliseconds
from state.silence_counters import Counters
from thresholds.backtest import FIRST_PART
from thresholds.counters import Live, LiveCounters, live_counts
from thresholds.grid import DAY_MS, name_of
from thresholds.observed import Totals
from thresholds.silences import Silences
from thresholds.study import CONTEXT, Asked, study_counts
from winback.tuning.lines import LeftOut
from winback.tuning.recording import Recording
from winback.tuning.tuning import WEEK_DAYS, Tuned, Wanted, waits_of
from worker.errors import StartError
from worker.settings import Settings

_LEFT_OUT = (
    "Counters leave out what a recording shows: quiet hours (the real share is up to 3 of 100 lower), returns in "
    "another session (it is higher), and all rules of contact but a name, a phone number and the cart."
)
_NO_DAY = (
    "Redis has no complete day of counters yet. A day counts when the longest threshold and the horizon are over for "
    "its last silence, and the first day doesn't count."
)


def require_counted(settings: Settings, wanted: Wanted) -> None:
    """Check that silences are counted, and for this horizon.

    Raises:
        StartError: They aren't.
    """
    if not settings.tuning.collect:
        raise StartError("--from-redis: silences aren't counted: set tuning.collect = true, or name a recording")
    horizons = [milliseconds(one) for one in settings.tuning.horizons]
    if wanted.question.horizon_ms not in horizons:
        counted = ", ".join(map(name_of, horizons))
        asked = name_of(wanted.question.horizon_ms)
        raise StartError(f"--horizon {asked}: isn't counted in Redis: use {counted}, or add it to tuning.horizons")


def tune_live(counters: Iterable[Counters], now_ms: int, wanted: Wanted, settings: Settings, quiet_hours: str) -> Tuned:
    """Return the recommendations from all counters. `now_ms`: Unix ms of the server."""
    waits = waits_of(settings.detection)
    found = live_counts(
        [LiveCounters(*one) for one in counters],
        now_ms,
        horizons=tuple(milliseconds(one) for one in settings.tuning.horizons),
        asked_ms=wanted.question.horizon_ms,
        longest_wait_ms=max(waits.values()),
        later_part=FIRST_PART,
    )
    asked = Asked(wanted.question, wanted.target, cautious=wanted.cautious, held_share=found.held_share)
    results = study_counts(found.counts, found.period, asked, waits)
    return Tuned(
        wanted=wanted,
        quiet_hours=quiet_hours,
        recording=_NO_RECORDING,
        contacts=found.contacted,
        held_out=found.held_out,
        asked=asked,
        period=found.period,
        rows=[row for row in results.rows if wanted.stage in {None, row.stage}],
        others_ms=results.others_ms,
        warnings=_warnings(found, settings),
        is_live=True,
    )


def _warnings(found: Live, settings: Settings) -> list[str]:
    days = (found.period.last_ms - found.period.first_ms) // DAY_MS
    if not days:
        return [_NO_DAY]
    warnings = [_LEFT_OUT]
    if days < WEEK_DAYS:
        warnings.append(f"Less than a week counts ({days} days). Shoppers behave differently on other days.")
    if settings.contact.max_per_session > 1:
        warnings.append("Only the first contact of a session counts, although contact.max_per_session allows more.")
    missing = sorted({each.horizon_ms for each in CONTEXT} - {milliseconds(one) for one in settings.tuning.horizons})
    if missing:
        warnings.append(f"Within {' and '.join(map(name_of, missing))}, nothing is counted: see tuning.horizons.")
    return warnings


_NO_RECORDING = Recording(
    files=[],
    silences=Silences(),
    totals=Totals(),
    unreadable=LeftOut(),
    future=0,
    out_of_order=0,
    doubts=[],
    ids_end_ms=None,
    is_contactable=True,
    without_session=(0.0, 0.0),
)
