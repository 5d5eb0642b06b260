"""The scripts of the sender of webhooks."""

from state.script import Arguments, flag, script, text


@script(flag)
def webhook_turn(sender: str, turn_ms: int) -> Arguments:
    """Take or renew the turn. The reply: whether this sender has it."""
    return sender, turn_ms


@script(text)
def webhook_report(
    *,
    ttl_ms: int,
    sent: int,
    failed: int,
    dropped: int,
    waiting: int,
    oldest: int | str,
    why: str,
    gone: int,
    stops: int,
) -> Arguments:
    """Record what the sender did. The reply: since when the receiver wants no more (ms); empty if it does."""
    return ttl_ms, sent, failed, dropped, waiting, oldest, why, gone, stops
