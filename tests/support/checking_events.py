"""`winback event check`, run in this process."""

import json
import re

import typer
from typer.testing import CliRunner, Result

from winback.cli import event

SEED = {
    "type": "activity",
    "session_id": "sess_abc123xyz",
    "occurred_at": "2025-05-13T22:45:00Z",
    "flow_stage": "checkout",
    "platform": "web",
    "customer": {"full_name": "Jane Doe", "phone_number": "+573001234567", "country_code": "CO", "language": "es"},
    "cart": {"total_value": 149.99, "currency": "COP", "items": [{"name": "Headphones", "sku": "WH", "quantity": 1}]},
}
EXPLANATION = re.compile(r"(line \d+: )?(no request: |request \{|\S+ (.* )?\u2192 |\w+ was read |\S+ is taken )")


def run(*options: str, stdin: str | bytes = "") -> Result:
    app = typer.Typer()
    app.command()(event.check)
    return CliRunner().invoke(app, options, input=stdin, catch_exceptions=False)


def checked(*documents: object, options: tuple[str, ...] = ()) -> Result:
    lines = "\n".join(one if isinstance(one, str) else json.dumps(one) for one in documents)
    return run("-", *options, stdin=lines)


def findings(done: Result) -> list[str]:
    """The lines with problems and warnings, without the reading of the event and the request."""
    return [line for line in done.stdout.splitlines()[:-1] if not EXPLANATION.match(line)]


def told(*documents: object) -> list[str]:
    return findings(checked(*documents))
