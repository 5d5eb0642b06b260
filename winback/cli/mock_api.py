"""`winback mock-api`: a mock of Yuno's Recovery Agent API."""

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

_STRICT = "Checks and answers"
_MISBEHAVIOUR = "Failures to simulate"


@dataclass(frozen=True, kw_only=True, repr=False)  # a secret must not get into a traceback
class Behaviour:
    """The behaviour of the mock, as options with the names of `MockConfig`'s fields."""

    public_api_key: Annotated[
        str | None,
        typer.Option(
            envvar="WINBACK_DELIVERY__PUBLIC_API_KEY",
            help="The public-api-key that requests must have. Without it, any key is accepted.",
            rich_help_panel=_STRICT,
        ),
    ] = None
    private_secret_key: Annotated[
        str | None,
        typer.Option(
            envvar="WINBACK_DELIVERY__PRIVATE_SECRET_KEY",
            help="The private-secret-key that requests must have. Set it in the environment rather than here.",
            rich_help_panel=_STRICT,
        ),
    ] = None
    store: Annotated[
        Path | None,
        typer.Option(
            help="Append every request to this file as a JSON line, before it is answered. The lines hold the whole "
            "body with its personal data, so only you can read the file (mode 0600).",
            rich_help_panel=_STRICT,
        ),
    ] = None
    idempotency: Annotated[
        bool,
        typer.Option(
            help="Answer a repeated idempotency key with its first answer, as Yuno documents for its API in general. "
            "Yuno doesn't document the header for this operation, so try --no-idempotency too.",
            rich_help_panel=_STRICT,
        ),
    ] = True
    validation: Annotated[
        bool,
        typer.Option(
            "--validate/--no-validate",
            help="Check requests against the contract. --no-validate is for benchmarks.",
            rich_help_panel=_STRICT,
        ),
    ] = True
    status: Annotated[
        str | None,
        typer.Option(
            help="Answer with this status. With several, like 500,500,200, answer with each in order, and repeat.",
            rich_help_panel=_MISBEHAVIOUR,
        ),
    ] = None
    delay: Annotated[
        str | None, typer.Option(help="Delay each answer by this time: 100ms, 2s.", rich_help_panel=_MISBEHAVIOUR)
    ] = None
    drop: Annotated[
        Literal["before", "after"] | None,
        typer.Option(
            help="Close the connection without an answer, before or after accepting the request.",
            rich_help_panel=_MISBEHAVIOUR,
        ),
    ] = None
    retry_after: Annotated[
        str | None,
        typer.Option(help="Send this Retry-After, unchanged, with every 429 and 503.", rich_help_panel=_MISBEHAVIOUR),
    ] = None
    body: Annotated[
        str | None,
        typer.Option(help="Answer with this body instead of the usual one.", rich_help_panel=_MISBEHAVIOUR),
    ] = None
    times: Annotated[
        int | None,
        typer.Option(help="Fail for this number of requests, then answer normally.", rich_help_panel=_MISBEHAVIOUR),
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
    port: Annotated[int, typer.Option(help="Port to listen on. 0 takes a free port and prints it.")] = DEFAULT_PORT,
    behaviour: Behaviour,
) -> None:
    """Run a mock of Yuno's API, which contacts no person, until Ctrl-C.

    The mock checks each request against Yuno's contract and answers as Yuno documents. It prints one line for each:
    time (UTC), status, outcome, idempotency key and session id. To use it, set
    WINBACK_DELIVERY__ENDPOINT=http://127.0.0.1:8099/ai-caller-ms/recovery-payment/external

    While it runs, GET /_summary counts the requests and GET /_requests lists them. PUT /_control changes the last
    group of options, as JSON: {"status": [500, 200], "delay": "2s"}. All three answer only to this machine.
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
