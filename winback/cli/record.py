"""`winback record`: writes applied events to files without personal data; a command shows its name for a session."""

import signal
import sys
from threading import Event

import structlog
import typer

from detectors.lanes import milliseconds
from detectors.normalize.session_ids import stored_as
from state.recording import Copies
from worker import runtime
from worker.errors import StartError
from worker.logs import role_output, setup, uncaught
from worker.recorder.files import RecordingFiles
from worker.recorder.pseudonyms import Pseudonyms
from worker.recorder.recorder import Recorder
from worker.server_errors import naming_server
from worker.settings import Settings, load, require
from worker.settings.errors import missing
from worker.settings.hints import HINTS

_MB = 1024 * 1024


def record(context: typer.Context) -> None:
    """Write events to `record.directory` without personal data, until SIGTERM or Ctrl-C.

    Ingest copies the events that it has applied while a recorder runs, so recording delays no detection. Several
    processes can run; one of them records, and another one takes over within 15 s. `winback tune` reads the files.
    """
    if context.invoked_subcommand is not None:
        return
    settings = load()
    require(settings, "redis_url", "identity_secret")
    files = _files(settings)
    setup.configure("record")
    if role_output.is_role(sys.argv[1:]):
        uncaught.report("record")
    log = structlog.stdlib.get_logger("winback.recorder")
    stopped = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    with naming_server(settings):
        state = runtime.open_state(settings, connections=4)
        server = runtime.join_deployment(state, settings, personal=False)
    files.open()
    recorder = Recorder(
        Copies(state.scripts, state.keys, state.streams),
        files,
        Pseudonyms(runtime.identity_secret(settings)),
        heartbeat=lambda: state.heartbeat("record"),
    )
    log.info("ready", server=server, directory=str(settings.record.directory))
    recorder.run(stopped)
    files.close()
    log.info("stopped")


def session(session_id: str) -> None:
    """Print a session id as recordings show it."""
    settings = load()
    require(settings, "identity_secret")
    typer.echo(Pseudonyms(runtime.identity_secret(settings)).session(stored_as(session_id)))


def _files(settings: Settings) -> RecordingFiles:
    wanted = settings.record
    if wanted.directory is None:
        raise StartError(missing(("record", "directory"), HINTS["record.directory"]))
    return RecordingFiles(
        wanted.directory,
        limit=wanted.limit_mb * _MB,
        rotate_after_ms=milliseconds(wanted.rotate_after),
        keep_ms=milliseconds(wanted.keep),
    )


app = typer.Typer(name="record", invoke_without_command=True, rich_markup_mode="markdown", add_completion=False)
app.callback()(record)
app.command("session")(session)
