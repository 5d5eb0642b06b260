"""`winback mock-api`: a stand-in for Yuno's Recovery Agent API."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from detectors.validation_messages import plain
from winback.cli.grouped_options import grouped_options
from winback.simulation.mock_api.behaviour import HEADER_FORM, MockConfig
from winback.simulation.mock_api.run import DEFAULT_HOST, DEFAULT_PORT, run
from worker.errors import StartError

_STRICT = "What it is like"
_MISBEHAVIOUR = "How it misbehaves"


@dataclass(frozen=True, kw_only=True, repr=False)  # a secret must not get into a traceback
class Behaviour:
    """How the stand-in behaves: options that have the names of `MockConfig`'s fields."""

    public_api_key: Annotated[
        str | None,
        typer.Option(
            envvar="WINBACK_DELIVERY__PUBLIC_API_KEY",
            help="The public-api-key that requests must carry; without it, any will do.",
            rich_help_panel=_STRICT,
        ),
    ] = None
    private_secret_key: Annotated[
        str | None,
        typer.Option(
            envvar="WINBACK_DELIVERY__PRIVATE_SECRET_KEY",
            help="The private-secret-key that requests must carry. Better given in the environment than here.",
            rich_help_panel=_STRICT,
        ),
    ] = None
    store: Annotated[
        Path | None,
        typer.Option(
            help="Append every request to this file, one JSON line each, before it is answered. The lines hold the "
            "whole body, personal data included, so the file is readable for you alone (mode 0600).",
            rich_help_panel=_STRICT,
        ),
    ] = None
    idempotency: Annotated[
        bool,
        typer.Option(
            help="Answer a repeated idempotency key with its first answer, as Yuno documents for its API in general. "
            "This operation does not list the header, so try it without too.",
            rich_help_panel=_STRICT,
        ),
    ] = True
    validation: Annotated[
        bool,
        typer.Option(
            "--validate/--no-validate",
            help="Hold requests against the contract; without, for benchmarks.",
            rich_help_panel=_STRICT,
        ),
    ] = True
    status: Annotated[
        str | None,
        typer.Option(
            help="Answer with this status; several, like 500,500,200, are answered in turn, over and over.",
            rich_help_panel=_MISBEHAVIOUR,
        ),
    ] = None
    delay: Annotated[
        str | None, typer.Option(help="Wait so long before each answer: 100ms, 2s.", rich_help_panel=_MISBEHAVIOUR)
    ] = None
    drop: Annotated[
        Literal["before", "after"] | None,
        typer.Option(
            help="Close the connection without an answer: before taking the request, or after having taken it.",
            rich_help_panel=_MISBEHAVIOUR,
        ),
    ] = None
    retry_after: Annotated[
        str | None,
        typer.Option(help="Send this Retry-After, as it is, with every 429 and 503.", rich_help_panel=_MISBEHAVIOUR),
    ] = None
    body: Annotated[
        str | None,
        typer.Option(
            help="Answer with this body instead of an empty or an error's one.", rich_help_panel=_MISBEHAVIOUR
        ),
    ] = None
    times: Annotated[
        int | None,
        typer.Option(help="Misbehave so many times, then behave.", rich_help_panel=_MISBEHAVIOUR),
    ] = None
    quiet: Annotated[bool, typer.Option("--quiet", help="Print no line per request.")] = False
    json_lines: Annotated[bool, typer.Option("--json", help="Print the lines as JSON.")] = False

    def given(self) -> dict[str, object]:
        """Return the options that have a value."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@grouped_options
def mock_api(
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = DEFAULT_HOST,
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one and prints it.")] = DEFAULT_PORT,
    behaviour: Behaviour,
) -> None:
    """Run a stand-in for Yuno's API, which contacts nobody, until Ctrl-C.

    It checks each request against Yuno's contract, answers as Yuno
    documents, and prints one line for it: time (UTC), status, what became
    of it, idempotency key and session id. Point Winback at it with
    WINBACK_DELIVERY__ENDPOINT=http://127.0.0.1:8099/ai-caller-ms/recovery-payment/external

    While it runs, GET /_summary adds up what came, GET /_requests lists it,
    and PUT /_control takes the last group of options as JSON, like
    {"status": [500, 200], "delay": "2s"}; they answer to this machine alone.
    """
    try:
        config = MockConfig.model_validate(behaviour.given())
    except ValidationError as exc:
        raise StartError("\n".join(_line(error) for error in exc.errors())) from exc
    run(config, host, port)


def _line(error: ErrorDetails) -> str:
    location = error["loc"]
    option = f"--{str(location[0]).replace('_', '-')}" if location else "--public-api-key, --private-secret-key"
    return f"{option}: {plain(error, pattern=HEADER_FORM)}"
