"""The results of `winback tune` in words, for merchants. Pure."""

from collections.abc import Iterator

from detectors.flow import Platform, Stage
from thresholds.curve import Point
from thresholds.grid import DAY_MS, GRID, MINUTE_MS, name_of
from thresholds.recommendation import FEWEST_CONTACTS
from thresholds.study import Row
from winback.tuning.amounts import capital, day, days_or_weeks, duration, number, number_of, of_100, percent, within
from winback.tuning.tuning import Tuned, is_given, today

TITLES: dict[Stage, str] = {
    "product_selection": "Product pages",
    "cart_review": "Cart",
    "checkout": "Checkout",
    "payment": "Payment",
}
PLATFORM_NAMES: dict[Platform, str] = {"web": "Web", "ios": "iOS", "android": "Android"}
_PLACES: dict[Stage, str] = {
    "product_selection": "on the product pages",
    "cart_review": "in the cart",
    "checkout": "at the checkout",
    "payment": "at payment",
}
_MODEST = 2 * FEWEST_CONTACTS


def sentences(row: Row, found: Tuned) -> str:
    """Return the result of a stage or platform."""
    if row.platform is not None and not is_given(row) and row.choice.status != "too_few":
        return "The data show no difference from the other platforms."
    texts = {
        "ok": _ok,
        "rough": _rough,
        "shortest": _shortest,
        "too_few": _too_few,
        "not_reachable": _not_reachable,
        "touched": _touched,
        "ids_end": _ids_end,
    }
    return " ".join(texts[row.choice.status](row, found))


def title(row: Row) -> str:
    """Return the heading of a row."""
    return TITLES[row.stage] if row.platform is None else f"{TITLES[row.stage]}, {PLATFORM_NAMES[row.platform]}"


def back_test(row: Row, found: Tuned) -> str:
    """Return the result of the back-test; empty if there is none."""
    kept = row.backtest
    if kept is None:
        return ""
    first = (found.period.later_day * DAY_MS - found.period.first_ms) / DAY_MS
    other = (
        ""
        if row.choice.point and row.choice.point.threshold_ms == kept.threshold_ms
        else f" ({duration(kept.threshold_ms)})"
    )
    tested = (
        f"Back-test: chosen on the first {_whole_days(first)}{other}, "
        f"kept in the last {_whole_days(found.days - first)}: "
        f"promised {percent(kept.promised)} %, was {percent(kept.realised)} % "
        f"({percent(kept.interval.low)} to {percent(kept.interval.high)})."
    )
    return f"{tested} The shop has changed in this time, so rely on the number less." if kept.drift else tested


def _whole_days(days: float) -> str:
    whole = max(1, round(days))
    return number_of(whole, "day")


def about(found: Tuned) -> str:
    """Return what the recording holds, and which part of it counts."""
    if found.is_live:
        last = day(found.period.last_ms - 1)
        return (
            f"Silences counted in Redis that began from {day(found.period.first_ms)} to {last} ({found.days:.0f} days, "
            "UTC), of reachable shoppers."
        )
    totals = found.recording.totals
    people = f", {number_of(len(totals.persons), 'person', 'people')}" if totals.persons else ""
    counted = "reachable shoppers" if found.recording.is_contactable else "all shoppers, reachable or not"
    return (
        f"{number_of(totals.events, 'event')} of {number_of(totals.sessions, 'session')}{people}, "
        f"{day(totals.first_ms)} to {day(totals.last_ms)}. "
        f"Contacts from {day(found.period.first_ms)} on count ({found.days:.1f} days), of {counted}."
    )


def row_warnings(row: Row) -> list[str]:
    """Return the doubts about a row."""
    found = []
    if row.moved:
        found.append(
            "This threshold differs by more than one step if the other stages keep today's thresholds: "
            "change all of them together."
        )
    point = row.choice.point
    if is_given(row) and point and point.followed < _MODEST:
        found.append(f"With fewer than {_MODEST} contacts, the real share is usually about one of 100 higher.")
    return found


def toml(found: Tuned) -> str:
    """Return the settings to paste; empty without a recommendation."""
    sections: dict[str, list[str]] = {}
    for row in found.given:
        section = "detection.idle" if row.platform is None else f"detection.idle_by_platform.{row.platform}"
        if row.choice.point:
            sections.setdefault(section, []).append(f'{row.stage} = "{name_of(row.choice.point.threshold_ms)}"')
    return "\n".join(f"[{name}]\n" + "".join(f"{line}\n" for line in lines) for name, lines in sections.items())


def _ok(row: Row, found: Tuned) -> Iterator[str]:
    point = _chosen(row)
    same = point.threshold_ms == row.current_ms
    yield f"{'Keep' if same else 'Wait'} {duration(point.threshold_ms)} {_PLACES[row.stage]}."
    yield from _meaning(row, found, point)


def _rough(row: Row, found: Tuned) -> Iterator[str]:
    point, choice = _chosen(row), row.choice
    about = f"About {duration(point.threshold_ms)}"
    if choice.days_needed is None:
        yield f"{about} {_PLACES[row.stage]}, but the share wasn't the same in all of the recording."
    else:
        yield f"{about} {_PLACES[row.stage]}, from few cases ({point.contacts:,} contacts): {_range(row)} your target."
        yield f"Look again in {days_or_weeks(choice.days_needed)}."
    yield from _meaning(row, found, point)


def _range(row: Row) -> str:
    low, high = row.choice.threshold_low_ms, row.choice.threshold_high_ms
    if low is None:
        return "it only just fits"
    if high is None:
        return f"anything from {duration(low)} on can fit"
    return f"anything between {duration(low)} and {duration(high)} fits" if low < high else "it fits"


def _shortest(row: Row, found: Tuned) -> Iterator[str]:
    point = _chosen(row)
    yield f"Even {duration(point.threshold_ms)} keep your target, so it doesn't decide."
    yield "Something else should: shorter isn't better by itself."
    yield from _meaning(row, found, point)


def _meaning(row: Row, found: Tuned, point: Point) -> Iterator[str]:
    question = found.wanted.question
    did = "been back" if question.outcome == "return" else "ordered"
    yield (
        f"Of 100 people contacted then, about {of_100(point.share)} ({_bounds(point)}) would have {did} "
        f"{within(question.horizon_ms)} by themselves."
    )
    now = today(row, found)
    if now is None or now.is_touched or point.threshold_ms == row.current_ms:
        yield f"You would contact {_a_day(point, found)} people a day."
        return
    yield (
        f"Today ({duration(row.current_ms)}) it is {of_100(now.share)}; "
        f"you would contact {_a_day(point, found)} people a day instead of {_a_day(now, found)}."
    )


def _too_few(row: Row, found: Tuned) -> Iterator[str]:
    del found
    contacts = max((point.contacts for point in row.points), default=row.most_contacts)
    yield f"Too few cases {_PLACES[row.stage]} ({number_of(contacts, 'contact')})."
    yield f"Nothing is recommended; {duration(row.current_ms)} stay."
    if row.choice.days_needed is not None:
        yield f"At this pace there are enough in about {days_or_weeks(row.choice.days_needed)}."


def _not_reachable(row: Row, found: Tuned) -> Iterator[str]:
    question, last = found.wanted.question, row.points[-1]
    does = "come back" if question.outcome == "return" else "order"
    yield (
        f"No threshold up to {duration(GRID[-1])} keeps this promise: your visitors {does} often (after "
        f"{duration(last.threshold_ms)} of silence still {of_100(last.share)} of 100 {within(question.horizon_ms)})."
    )
    yield (
        "Choose a shorter horizon, or measure with contact.holdout whether contacting them earns anything. "
        f"{capital(duration(row.current_ms))} stay."
    )


def _touched(row: Row, found: Tuned) -> Iterator[str]:
    del found
    yield (
        "You contacted people in this time and held none out, so what they would have done by themselves is unknown. "
        "Set contact.holdout = 10 for two weeks, or give a recording from shadow mode. "
        f"{capital(duration(row.current_ms))} stay."
    )


def _ids_end(row: Row, found: Tuned) -> Iterator[str]:
    minutes = round((found.recording.ids_end_ms or 0) / MINUTE_MS)
    yield (
        f"Session ids end after about {minutes:,} minutes of silence, and most sessions name no person: "
        f"a return {within(found.wanted.question.horizon_ms)} of a contact can't be seen."
    )
    yield "Send customer.phone_number with events, or ask for a shorter --horizon."
    yield f"{capital(duration(row.current_ms))} stay."


def _chosen(row: Row) -> Point:
    point = row.choice.point
    if point is None:
        raise AssertionError("only rows with a threshold are given")
    return point


def _bounds(point: Point) -> str:
    return f"{of_100(point.interval.low)} to {of_100(point.interval.high)}"


def _a_day(point: Point, found: Tuned) -> str:
    return number(point.contacts / found.days) if found.days else "0"
