"""`winback collect setup`: the steps that connect a sender, and its first delivery."""

import shutil
import textwrap
from collections.abc import Iterable
from contextlib import closing
from time import monotonic
from typing import Annotated

import typer

from detectors.durations import parse_duration
from state.collectors import Collectors
from state.deliveries import Deliveries, Delivery
from storefronts.setups import ALIASES, SETUPS
from winback.cli.interrupt import CtrlC
from winback.operations.collect_setup import SHOP, Line, Wanted, steps
from worker import runtime
from worker.errors import StartError
from worker.monitoring.delivery_causes import explained
from worker.monitoring.finding import clock_time
from worker.runtime import State
from worker.server_errors import call_with_timeout, naming_server
from worker.settings import Settings, load, require

POLL_S = 0.5
_WIDEST = 100
_HANGING = " " * len("10:15 UTC  ")
_NEVER = Delivery("")


def setup(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help=f"The sender: {', '.join(SETUPS)}, pixel.")],
    shop: Annotated[
        str, typer.Argument(metavar="[SHOP]", help="The shop's name in the URL, of your choice.", show_default=False)
    ] = "",
    *,
    url: Annotated[
        str, typer.Option(metavar="URL", help="The collector's public address, such as https://collect.example.")
    ] = "",
    public: Annotated[bool, typer.Option("--public", help="Use a public key, for pages and apps.")] = False,
    wait: Annotated[
        str, typer.Option(metavar="DURATION", help="How long to wait for the first delivery; off: not at all.")
    ] = "10m",
) -> None:
    """Show how to connect a sender with the collector, then wait for its first delivery.

    Prints the URL, the topics or events to choose, and the setting of the secret, with a new secret if you choose it.
    Then it prints what arrives: what an accepted request became, or why a request was refused. Ctrl-C ends it. The exit
    code is 1 if no request was accepted.
    """
    settings = load()
    wait_s = _seconds(wait)
    wanted = _wanted(source, shop, url, settings, is_public=public)
    _print(steps(wanted, settings.collect))
    if wait_s:
        require(settings, "redis_url")
        _wait(settings, wanted, wait_s)


def _wanted(source: str, shop: str, url: str, settings: Settings, *, is_public: bool) -> Wanted:
    name = ALIASES.get(source.lower(), source.lower())
    known = SETUPS.get(name)
    if known is None:
        raise StartError(f"collect setup: {source!r} is no source; write one of {', '.join(SETUPS)}")
    if url and not url.startswith(("https://", "http://")):
        raise StartError(f"collect setup: --url {url!r} must begin with https://")
    if shop and not known.has_shop:
        raise StartError(f"collect setup: {name} has no shop in its URL; leave out {shop!r}")
    if known.has_shop and not shop:
        shops = sorted({*settings.collect.shopify, *settings.collect.woocommerce})
        own = getattr(settings.collect, known.setting.rpartition(".")[2], {}) if known.setting else shops
        if len(own) != 1:
            raise StartError(f"collect setup: name the shop, such as winback collect setup {source} my-{SHOP.lower()}")
        shop = next(iter(own))
    if shop:
        _check_shop(shop)
    return Wanted(name, shop, url, "public" if is_public else known.key_class)


def _check_shop(shop: str) -> None:
    try:
        type(load().collect).model_validate({"shopify": {shop: ["a-valid-secret"]}})
    except ValueError:
        raise StartError(f"collect setup: {shop!r} is part of a URL, so write a-z, 0-9, - and .") from None


def _seconds(wait: str) -> float:
    if wait.strip() in {"off", "0", "0s"}:
        return 0
    try:
        return parse_duration(wait).total_seconds()
    except ValueError as problem:
        raise StartError(f"collect setup: --wait {wait!r} {problem}") from None


def _print(lines: Iterable[Line]) -> None:
    for line in lines:
        if line.is_code:
            typer.echo(f"     {line.text}")
        else:
            typer.echo(_wrapped(line.text, "" if line.text[:2] in {"1.", "2.", "3."} else "   ", "   "))


def _wrapped(text: str, first: str, later: str) -> str:
    width = min(_WIDEST, shutil.get_terminal_size().columns)
    return textwrap.fill(
        text, width, initial_indent=first, subsequent_indent=later, break_long_words=False, break_on_hyphens=False
    )


def _wait(settings: Settings, wanted: Wanted, wait_s: float) -> None:
    """Print deliveries until one is accepted.

    Raises:
        typer.Exit: with code 1 if none was.
    """
    names = {wanted.reported_as, wanted.reported_as.partition("/")[0]}
    state = call_with_timeout(settings, lambda: runtime.open_state(settings))
    with naming_server(settings), closing(state.client), CtrlC() as ctrl_c:
        seen = _read(state, names)
        if not any(not mark.is_missing(mark.seen_ms) for mark in Collectors(state.scripts, state.keys).marks()):
            typer.echo("\nNo collector runs: start one with winback collect.", err=True)
        if seen:
            typer.echo("\nSo far:")
        for name in sorted(seen):
            _report(_NEVER, seen[name])
        typer.echo(f"\nWaiting for a request of {wanted.reported_as}; Ctrl-C ends.", err=True)
        end_s = monotonic() + wait_s
        while monotonic() < end_s and not ctrl_c.pressed.wait(POLL_S):
            latest = _read(state, names)
            for name in sorted(names):
                if _report(seen.get(name, _NEVER), latest.get(name, _NEVER)):
                    return
            seen = latest
    typer.echo("No request was accepted.", err=True)
    raise typer.Exit(1)


def _read(state: State, names: set[str]) -> dict[str, Delivery]:
    return {one.source: one for one in Deliveries(state.scripts, state.keys).read() if one.source in names}


def _report(before: Delivery, now: Delivery) -> bool:
    """Print what is new; return whether a request was accepted."""
    if now.refused_ms is not None and now.refused_ms != before.refused_ms:
        problem = explained(now.source, now.cause)
        typer.echo(_wrapped(f"{clock_time(now.refused_ms)}  refused: {problem.text}", "", _HANGING))
        typer.echo(_wrapped(problem.hint, _HANGING, _HANGING))
    if now.accepted_ms is None or now.accepted_ms == before.accepted_ms:
        return False
    typer.echo(_wrapped(f"{clock_time(now.accepted_ms)}  accepted, and became {now.became}", "", _HANGING))
    return True
