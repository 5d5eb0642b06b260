"""The settings of the system under faults: short times, and the pool of the usual rates."""

from tests.faults.shop import STREAMS

TIMEOUT_S = 0.5
LEASE_S = 2 * TIMEOUT_S + 1.0
POOL = "WINBACK_WORKER__POOL"
PROCESSES = {POOL: "prefork"}
"""For faults of single processes of the pool."""
EXPERIMENT = {
    "WINBACK_EXPERIMENT__NAME": "faults",
    "WINBACK_EXPERIMENT__START": "2026-01-01",
    "WINBACK_EXPERIMENT__HOLDOUT": "20",
    "WINBACK_EXPERIMENT__ARMS__NOW__DELAY": "off",
    "WINBACK_EXPERIMENT__ARMS__LATER__DELAY": "1s",
    "WINBACK_EXPERIMENT__ARMS__MESSAGE__CHANNEL": "whatsapp",
}
"""An experiment on delays and channels: some people wait for their contact, and some aren't contacted."""
RECORDER = {"WINBACK_RECORD__DIRECTORY": "{directory}/recordings"}
"""A recorder, which is one more role."""
SETTINGS = {
    "WINBACK_IDENTITY_SECRET": "an identity secret for the faults",
    "WINBACK_DETECTION__SWEEP_INTERVAL": "200ms",
    "WINBACK_CONTACT__QUIET_HOURS": "off",
    "WINBACK_CONTACT__LAW": "off",
    "WINBACK_DELIVERY__MODE": "live",
    "WINBACK_DELIVERY__PUBLIC_API_KEY": "public",
    "WINBACK_DELIVERY__PRIVATE_SECRET_KEY": "private",
    "WINBACK_DELIVERY__TIMEOUT": f"{TIMEOUT_S * 1000:.0f}ms",
    "WINBACK_DELIVERY__LEASE_MARGIN": "1s",
    "WINBACK_DELIVERY__BACKOFF_BASE": "100ms",
    "WINBACK_DELIVERY__BACKOFF_CAP": "500ms",
    "WINBACK_DELIVERY__DISPATCH_INTERVAL": "100ms",
    "WINBACK_DELIVERY__RATE": "off",
    "WINBACK_DELIVERY__BREAKER_FAILURES": "off",
    "WINBACK_DELIVERY__BREAKER_PAUSE": "300ms",
    "WINBACK_ALARMS__CHECK_INTERVAL": "500ms",
    "WINBACK_INGEST__STREAMS": str(len(STREAMS)),
    "WINBACK_INGEST__READ_TIMEOUT": "200ms",
    "WINBACK_INGEST__STALE_AFTER": "1s",
    # Without a rate, processes would be the default here.
    POOL: "threads",
    "WINBACK_WORKER__CONCURRENCY": "4",
}
