"""The scripts for experiments."""

from state.script import Arguments, flag, script


@script(flag)
def join_experiment(*, name: str, outreach: str, ttl_ms: int, taken_at: int) -> Arguments:
    """Record for which outreach a person counts. The reply: whether for this one."""
    return name, outreach, ttl_ms, taken_at


@script(flag)
def assign_arm(*, outreach: str, token: int, arm: str, counts: str) -> Arguments:
    """Record the arm of an outreach. The reply: whether it is new."""
    return outreach, token, arm, counts


@script(flag)
def credit_arm(*, outreach: str, order: str, window_ms: int) -> Arguments:
    """Credit an arm with an order. The reply: whether it counts."""
    return outreach, order, window_ms
