"""The script by which collectors report how far they are."""

from state.script import Arguments, number, script


@script(number)
def collector_sign(collector: str, until_ms: int, figures: str, remembered_ms: int) -> Arguments:
    """Record up to when a collector's events are in a stream; 0 records nothing. The reply: the server's time (ms)."""
    return collector, until_ms, figures, remembered_ms
