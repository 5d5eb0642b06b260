"""`winback up`: all roles in one command, with an embedded server unless the settings name one."""

import secrets
import sys
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import replace
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from worker.errors import StartError
from worker.logs.masking import mask_urls
from worker.settings import LIVE_KEYS, Settings, load, require
from worker.settings.generated_secrets import IDENTITY_SECRET, VAR, kept_secret, write_private
from worker.supervision.child_process import PrefixedOutput
from worker.supervision.embedded_valkey import EmbeddedValkey
from worker.supervision.readiness import announce_readiness
from worker.supervision.roles import Role, roles
from worker.supervision.supervisor import RoleFailedError, Supervisor

_KILLED = 130  # what shells report for a command that Ctrl-C ended


def up(
    *,
    only: Annotated[
        list[str] | None, typer.Option(help="Start only this role; can be repeated.", metavar="ROLE")
    ] = None,
    without: Annotated[
        list[str] | None, typer.Option(help="Don't start this role; can be repeated.", metavar="ROLE")
    ] = None,
    valkey_port: Annotated[
        int, typer.Option(help="Port of the embedded Valkey on 127.0.0.1.", min=1, max=65535)
    ] = 6390,
) -> None:
    """Run ingest, the Celery workers, beat and Flower until Ctrl-C. Processes that exit are restarted.

    Unless WINBACK_REDIS_URL names a server, the command also runs a Valkey that keeps its data in ./var/valkey. It then
    generates an identity secret once and keeps it in ./var/identity_secret.

    The first Ctrl-C (or SIGTERM) stops everything in order and lets requests in flight finish. The second one kills all
    processes at once.
    """
    settings = load()
    chosen = _choose([role.name for role in roles(settings)], only or [], without or [])
    own_server = settings.redis_url is None
    live = settings.delivery.mode == "live"
    require(settings, *(LIVE_KEYS if live else ()), *(() if own_server else ("identity_secret",)))
    with ExitStack() as stack:
        server = EmbeddedValkey(VAR / "valkey", port=valkey_port) if own_server else None
        if server is not None:
            # Before anything is written or printed: another `winback up` might use this directory.
            stack.callback(server.stop)
            server.lock_directory()
        in_order = _run(settings, server, chosen)
    if not in_order:
        raise typer.Exit(_KILLED)


def _run(settings: Settings, server: EmbeddedValkey | None, chosen: list[str]) -> bool:
    """Run the roles until a signal stops them. Return whether they stopped in order."""
    login = None if settings.flower.basic_auth else f"winback:{secrets.token_urlsafe(12)}"
    all_roles = roles(settings, _made_up(settings, server))
    to_run = [role for role in _with_login(all_roles, login) if role.name in chosen]
    _print_banner(settings, server, chosen, login)
    output = PrefixedOutput(sys.stdout)
    again_s = settings.alarms.repeat_interval.total_seconds()
    supervisor = Supervisor(to_run, server=server, output=output, alarm_again_s=again_s)
    checked_settings = settings if server is None else settings.model_copy(update={"redis_url": server.url})
    announce_readiness(checked_settings, chosen, supervisor.pids, output)
    try:
        return supervisor.run()
    except RoleFailedError as failure:
        print(failure, file=sys.stderr)  # noqa: T201 - plain: it holds lines of a log
        raise typer.Exit(1) from None


def _made_up(settings: Settings, server: EmbeddedValkey | None) -> dict[str, str]:
    """Return the settings that the roles need for the embedded server."""
    if server is None:
        return {}
    # The broker is database 1 of the same server, unless the settings name one.
    made_up = {"WINBACK_REDIS_URL": server.url}
    if settings.identity_secret is None:
        made_up["WINBACK_IDENTITY_SECRET"] = kept_secret(IDENTITY_SECRET)
    return made_up


def _choose(names: list[str], only: list[str], without: list[str]) -> list[str]:
    if unknown := [name for name in [*only, *without] if name not in names]:
        raise StartError("\n".join(f"{name}: no such role; the roles are {', '.join(names)}" for name in unknown))
    chosen = [name for name in names if name in (only or names) and name not in without]
    if not chosen:
        raise StartError("--without: no role is left to start; name fewer roles")
    return chosen


def _with_login(all_roles: Iterable[Role], login: str | None) -> list[Role]:
    own = {"WINBACK_FLOWER__BASIC_AUTH": login} if login else {}
    return [replace(role, env={**role.env, **own}) if role.name == "flower" else role for role in all_roles]


def _print_banner(settings: Settings, server: EmbeddedValkey | None, chosen: list[str], login: str | None) -> None:
    console = Console(highlight=False, soft_wrap=True)

    def print_line(name: str, text: str) -> None:
        console.print(f"[bold]{name:<8}[/bold] {escape(text)}")

    live = settings.delivery.mode == "live"
    print_line("mode", f"live: requests go to {settings.delivery.endpoint}" if live else "shadow: no request is sent")
    if server is not None:
        print_line("server", f"{server.url}, embedded, data in {VAR / 'valkey'}")
        print_line("", f"for other commands: export WINBACK_REDIS_URL={server.url}")
        if settings.identity_secret is None:
            # The command and not the secret, since this output may be a log.
            print_line("", f"                    export WINBACK_IDENTITY_SECRET=$(cat {IDENTITY_SECRET})")
    else:
        print_line("server", mask_urls(settings.redis_url or ""))
    if "flower" in chosen:
        print_line("Flower", f"http://{settings.flower.address}:{settings.flower.port}{_how_to_log_in(login)}")
    print_line("roles", ", ".join(chosen))
    print_line("log", "below, each line after its role; Winback's own lines are JSON")


def _how_to_log_in(login: str | None) -> str:
    if login is None:
        return ""
    if not sys.stdout.isatty():
        # Output that isn't a terminal is a log, and a log must not contain a password.
        try:
            write_private(VAR / "flower_login", login)
        except OSError as e:
            raise StartError(f"{VAR / 'flower_login'}: {e.strerror}: set WINBACK_FLOWER__BASIC_AUTH") from e
        return f", user and password for this run are in {VAR / 'flower_login'}"
    user, _, password = login.partition(":")
    return f", for this run user {user}, password {password}"
