"""`winback config`: the settings, their sources, and whether they are valid."""

import json as jsonlib
from collections.abc import Iterator
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from worker.errors import StartError
from worker.logs.masking import MASK, is_secret, mask_urls
from worker.settings import LIVE_KEYS, Settings, load, require
from worker.settings.generated_secrets import IDENTITY_SECRET, with_kept_secret
from worker.settings.origins import sources

_NEEDED_BY = {
    "redis_url": "every role; without it, `winback up` runs a server of its own",
    "identity_secret": "ingest, sweep and recover; `winback up` generates one for its own server",
}
_PIPED_WIDTH = 1000  # characters; a program that reads a pipe needs whole lines


def check() -> None:
    """Check whether the settings are valid. Otherwise print one line for each problem, with exit code 2.

    Lists settings that are missing and the roles that need them, because not every role is given all settings. Live
    mode needs Yuno's keys. The command connects to no server; `winback doctor` does.
    """
    settings = load()
    if settings.delivery.mode == "live":
        require(settings, *LIVE_KEYS)
    file = settings.config if settings.config.exists() else f"no {settings.config}"
    # The line names the file itself, so the variable that chose it isn't counted.
    from_env = sum(origin.startswith("WINBACK_") for key, origin in sources(settings).items() if key != "config")
    typer.echo(f"ok: {file}, {from_env} from the environment, mode {settings.delivery.mode}")
    for line in _missing(settings):
        typer.echo(line)


def _missing(settings: Settings) -> Iterator[str]:
    """Yield a line for each missing setting that some roles need. The role of these settings isn't known here."""
    completed, kept = with_kept_secret(settings)
    if kept:
        yield f"identity_secret: from {IDENTITY_SECRET}, which winback up generated for its own server"
    for key, roles in _NEEDED_BY.items():
        try:
            require(completed, key)
        except StartError as problem:
            yield f"{problem}; needed by {roles}"
    if settings.delivery.mode != "live":
        unset = [key for key in LIVE_KEYS if getattr(settings.delivery, key.removeprefix("delivery.")) is None]
        if unset:
            yield f"{', '.join(unset)}: not set; needed only by recover in mode live"


def show(
    *,
    json: Annotated[bool, typer.Option("--json", help="One JSON object: key -> value and source.")] = False,
) -> None:
    """List every setting with its value and source. Secrets are masked.

    Values for one platform or stage are listed only if they are set.
    """
    settings = load()
    written = settings.model_dump(mode="json")
    found = {key: (_shown(key, written), source) for key, source in sources(settings).items()}
    if json:
        document = {key: {"value": value, "source": source} for key, (value, source) in found.items()}
        typer.echo(jsonlib.dumps(document, indent=2))
        return
    console = Console()
    if not console.is_terminal:
        console.width = _PIPED_WIDTH
    table = Table("key", Column("value", overflow="fold"), "source", box=None, pad_edge=False, header_style="bold")
    for key, (value, source) in found.items():
        if value is None and ("_by_platform." in key or ".by_stage." in key):
            continue
        # Text, not markup: a value in [brackets] is shown as it is.
        table.add_row(Text(key), Text(_cell(value)), Text(source), style="dim" if source == "default" else "")
    console.print(table)


def _shown(key: str, written: object) -> object:
    """Return one setting's value as JSON data, without secrets."""
    value = written
    for name in key.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    if value is not None and is_secret(key):
        return MASK
    return mask_urls(value) if isinstance(value, str) else value


def _cell(value: object) -> str:
    if value is None or value == "":
        return "-"
    return value if isinstance(value, str) else jsonlib.dumps(value, separators=(",", ":"))


app = typer.Typer(
    name="config",
    help="Check the settings, and show where each comes from.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    add_completion=False,
)
app.command("check")(check)
app.command("show")(show)
