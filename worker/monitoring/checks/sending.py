"""The finding about sending. Pure."""

from state.overview import Overview
from worker.monitoring.checks.processes import STOP
from worker.monitoring.finding import Finding, clock_time, span
from worker.settings import Settings

_HINTS = {
    "keys": "fix delivery.public_api_key and .private_secret_key, restart recover; winback resume tries immediately",
    "failing": "if Yuno is down, no action is needed; else check delivery.endpoint. winback resume tries immediately",
}


def finding(overview: Overview, settings: Settings) -> Finding:
    """Report whether sending is on, and the reason if it is blocked."""
    sending, now_ms = overview.sending, overview.now_ms
    since = f"since {clock_time(sending.since_ms)}" if sending.since_ms is not None else "for now"
    if sending.sending_state == "paused":
        until = "until winback resume" if sending.until_ms is None else f"until {clock_time(sending.until_ms)}"
        reason = f" ({sending.reason})" if sending.reason else ""
        also = f"; it had also stopped automatically ({sending.why})" if sending.stopped else ""
        text = f"paused by an operator {since}, {until}{reason}: nothing is sent, outreaches stay due{also}"
        return Finding("sending", "fail", text, "winback resume")
    if sending.sending_state == "mixed":
        text = f"blocked {since} because the workers' settings for sending differ: nothing is sent, outreaches stay due"
        return Finding("sending", "fail", text, f"{STOP}; sending resumes when all running workers agree")
    if sending.sending_state == "orders_stopped":
        text = (
            f"blocked {since} because no orders arrive: nothing is sent, outreaches stay due; resumes when one arrives"
        )
        return Finding(
            "sending",
            "fail",
            text,
            "fix the order events, see docs/guides/order-hooks.md; winback resume sends for an hour anyway",
        )
    if sending.stopped:
        wait = max(0, (sending.next_try_ms or now_ms) - now_ms)
        then = "one outreach is being tried now" if sending.probing else f"next try in {span(wait)}"
        text = (
            f"stopped {since} because {sending.why}; outreaches stay due; {then}, and sending resumes when it succeeds"
        )
        hint = _HINTS["keys" if sending.sending_state == "refused" else "failing"]
        return Finding("sending", "fail", text, hint)
    if sending.sending_state == "full":
        text = f"daily limit reached ({sending.contacts_today:,}): sending resumes at 00:00 UTC"
        return Finding("sending", "warn", text, "raise delivery.max_per_day if that is too few")
    most = settings.delivery.max_per_day
    of_the_day = f"; {sending.contacts_today:,} of {most:,} contacts of the day" if most else ""
    return Finding("sending", "ok", f"not blocked{of_the_day}")
