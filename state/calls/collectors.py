"""The scripts by which collectors report how far they are, and what was delivered to them."""

from state.driver import Word
from state.script import Arguments, nothing, number, script


@script(number)
def collector_sign(collector: str, until_ms: int, figures: str, remembered_ms: int) -> Arguments:
    """Record up to when a collector's events are in a stream; 0 records nothing. The reply: the server's time (ms)."""
    return collector, until_ms, figures, remembered_ms


@script(nothing)
def note_deliveries(pause_ms: int, remembered_ms: int, *notes: Word) -> Arguments:
    """Record deliveries. `notes`: source, what was accepted, number of refusals, cause of the last one, and so on."""
    return pause_ms, remembered_ms, *notes
