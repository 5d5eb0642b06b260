"""The scripts of privacy requests."""

from collections.abc import Iterable

from state.script import Arguments, flag, script, texts


@script(flag)
def file_request(request: str, kind: str, received: int, wait_ms: int | str, fields: Iterable[str]) -> Arguments:
    """Keep a request. `fields`: field, value, and so on. The reply: whether it is new."""
    return request, kind, received, wait_ms, *fields


@script(texts)
def lease_requests(most: int, lease_ms: int, longest_ms: int) -> Arguments:
    """Lease the erasures that are due. The reply: their ids."""
    return most, lease_ms, longest_ms


@script(flag)
def finish_request(request: str, remembered_ms: int) -> Arguments:
    """Remove a request that is done. The reply: whether it was open."""
    return request, remembered_ms


@script(flag)
def postpone_request(request: str, wait_ms: int, problem: str) -> Arguments:
    """Run an erasure again later. The reply: whether it was open."""
    return request, wait_ms, problem


@script(flag)
def note_request(request: str, notes: str) -> Arguments:
    """Note what an erasure found. The reply: whether it is open."""
    return request, notes
