"""The finding about sending. Pure."""

from state.overview import Overview
from worker.monitoring.checks.processes import STOP
from worker.monitoring.finding import Finding, clock_time, span
from worker.settings import Settings

_HINTS = {
    "keys": "mend delivery.public_api_key and .private_secret_key, restart recover; winback resume tries at once",
    "failing": "nothing to do if Yuno is away; else see delivery.endpoint. winback resume tries at once",
}


def finding(overview: Overview, settings: Settings) -> Finding:
    """Say whether anything may be sent, as loudly as it can be said when nothing may."""
    sending, now_ms = overview.sending, overview.now_ms
    since = f"since {clock_time(sending.since_ms)}" if sending.since_ms is not None else "for now"
    if sending.sending_state == "paused":
        until = "until winback resume" if sending.until_ms is None else f"until {clock_time(sending.until_ms)}"
        reason = f" ({sending.reason})" if sending.reason else ""
        also = f"; and it had stopped by itself ({sending.why})" if sending.stopped else ""
        text = f"paused by hand {since}, {until}{reason}: nothing is sent, what is due stays due{also}"
        return Finding("sending", "fail", text, "winback resume")
    if sending.sending_state == "mixed":
        text = f"held {since} because workers disagree on how to send: none of them acts, what is due stays due"
        return Finding("sending", "fail", text, f"{STOP}; it goes on when all that run agree")
    if sending.sending_state == "orders_stopped":
        text = f"held {since} because no orders arrive: nothing is sent, what is due stays due; goes on when one does"
        return Finding(
            "sending",
            "fail",
            text,
            "fix the order events, see docs/guides/order-hooks.md; winback resume sends for an hour in spite of it",
        )
    if sending.stopped:
        wait = max(0, (sending.next_try_ms or now_ms) - now_ms)
        then = "one outreach is being tried now" if sending.probing else f"next try in {span(wait)}"
        text = f"stopped {since} because {sending.why}, what is due stays due; {then}, and it goes on when that works"
        hint = _HINTS["keys" if sending.sending_state == "refused" else "failing"]
        return Finding("sending", "fail", text, hint)
    if sending.sending_state == "full":
        text = f"today's contacts are used up ({sending.contacts_today:,}): it goes on at 00:00 UTC"
        return Finding("sending", "warn", text, "raise delivery.max_per_day if that is too few")
    most = settings.delivery.max_per_day
    of_the_day = f"; {sending.contacts_today:,} of {most:,} contacts of the day" if most else ""
    return Finding("sending", "ok", f"nothing holds it back{of_the_day}")
