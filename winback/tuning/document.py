"""The JSON document of `winback tune`. Every field is always there; what doesn't apply is null."""

from collections.abc import Mapping

from detectors.flow import STAGES
from tasks.delivery.payload import timestamp
from thresholds.curve import Point
from thresholds.grid import DAY_MS, name_of
from thresholds.intervals import Interval
from thresholds.recommendation import GIVEN
from thresholds.study import Row
from winback.tuning.tuning import Tuned, is_given, today
from winback.tuning.wording import row_warnings, toml

VERSION = 1
_SECOND_MS = 1000
Document = dict[str, object]


def document(found: Tuned) -> Document:
    """Return the whole document. Shares are parts of one."""
    wanted = found.wanted
    return {
        "command": "tune",
        "version": VERSION,
        "asked": {
            "outcome": wanted.question.outcome,
            "target": wanted.target,
            "horizon_seconds": _seconds(wanted.question.horizon_ms),
            "unit": "contact",
            "cautious": wanted.cautious,
            "quiet_hours": found.quiet_hours,
            "source": "redis" if found.is_live else "file",
        },
        "data": _data(found),
        "thresholds_seconds": {stage: _seconds(found.others_ms[stage]) for stage in STAGES},
        "stages": [_stage(row, found) for row in found.rows],
        "settings": toml(found) or None,
        "warnings": found.warnings,
    }


def _live_data(found: Tuned) -> Document:
    """Return the same fields for counters, which hold no events: null where they say nothing."""
    names = (
        "events",
        "unreadable",
        "in_future",
        "out_of_order",
        "sessions",
        "persons",
        "bots",
        "ids_end_after_seconds",
    )
    period = (found.period.first_ms, found.period.last_ms) if found.days else (None, None)
    first, last = (None if ms is None else timestamp(ms) for ms in period)
    return {
        "files": [],
        "first": first,
        "last": last,
        "counted_from": first,
        "days": found.days,
        **dict.fromkeys(names),
        "population": "contactable",
        "contacts_in_recording": found.contacts,
        "holdout_in_recording": found.held_out,
    }


def _data(found: Tuned) -> Document:
    if found.is_live:
        return _live_data(found)
    recording = found.recording
    totals = recording.totals
    moments = (totals.first_ms, totals.last_ms, found.period.first_ms) if totals.events else (None, None, None)
    first, last, counted = (None if ms is None else timestamp(ms) for ms in moments)
    return {
        "files": recording.files,
        "first": first,
        "last": last,
        "counted_from": counted,
        "days": found.days,
        "events": totals.events,
        "unreadable": recording.unreadable.number_of_lines,
        "in_future": recording.future,
        "out_of_order": recording.out_of_order,
        "sessions": totals.sessions,
        "persons": len(totals.persons),
        "bots": totals.bots,
        "ids_end_after_seconds": None if recording.ids_end_ms is None else _seconds(recording.ids_end_ms),
        "population": "contactable" if recording.is_contactable else "everybody",
        "contacts_in_recording": found.contacts,
        "holdout_in_recording": found.held_out,
    }


def _stage(row: Row, found: Tuned) -> Document:
    choice = row.choice
    given, days = is_given(row), found.days
    point = choice.point if given else None
    judged = choice.status if given or row.platform is None or choice.status not in GIVEN else None
    contacts = point.contacts if point else row.most_contacts
    return {
        "stage": row.stage,
        "platform": row.platform,
        "status": judged,
        "threshold": name_of(point.threshold_ms) if point else None,
        "threshold_seconds": _seconds(point.threshold_ms) if point else None,
        **_shares(point),
        "contacts": contacts,
        "followed": point.followed if point else None,
        "returned": point.hits if point else None,
        "contacts_per_day": contacts / days if days else None,
        "threshold_low": _name(choice.threshold_low_ms) if given else None,
        "threshold_high": _name(choice.threshold_high_ms) if given else None,
        "current": _current(row, found),
        "beside": _context(row),
        "backtest": _backtest(row, found.period.later_day),
        "days_needed": choice.days_needed,
        "warnings": row_warnings(row),
        "curve": [_point(each) for each in row.points],
    }


def _shares(point: Point | None) -> Document:
    if point is None or point.is_touched:
        return {"share": None, "low": None, "high": None}
    return {"share": point.share, **_interval(point.interval)}


def _interval(interval: Interval) -> Document:
    return {"low": interval.low, "high": interval.high}


def _current(row: Row, found: Tuned) -> Document:
    point, days = today(row, found), found.days
    return {
        "threshold": name_of(row.current_ms),
        "threshold_seconds": _seconds(row.current_ms),
        **_shares(point),
        "contacts_per_day": point.contacts / days if point and days else None,
    }


def _context(row: Row) -> Document:
    names = ("return_1h", "return_24h", "order_1h", "order_24h")
    return dict(zip(names, row.context, strict=True))


def _backtest(row: Row, later_day: int) -> Document | None:
    kept = row.backtest
    if kept is None:
        return None
    return {
        "until": timestamp(later_day * DAY_MS),
        "threshold_seconds": _seconds(kept.threshold_ms),
        "promised": kept.promised,
        "realised": kept.realised,
        **_interval(kept.interval),
        "followed": kept.followed,
        "drift": kept.drift,
    }


def _point(point: Point) -> Document:
    shares: Mapping[str, object] = _shares(point)
    return {
        "threshold_seconds": _seconds(point.threshold_ms),
        "contacts": point.contacts,
        "followed": point.followed,
        "returned": point.hits,
        "share_raw": None if point.is_touched else point.share_raw,
        **shares,
    }


def _name(threshold_ms: int | None) -> str | None:
    return None if threshold_ms is None else name_of(threshold_ms)


def _seconds(ms: int) -> int | float:
    return ms // _SECOND_MS if ms % _SECOND_MS == 0 else ms / _SECOND_MS
