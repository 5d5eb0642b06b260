"""Draw the pictures of the README and of the report: `make screenshots` writes them to `docs/assets`."""

import os
import subprocess
import sys
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from reference_pages import report_pictures
from state.overview import Overview
from winback.cli.demo import SHOPPING, print_summary
from winback.simulation.demo import Demo, running

ASSETS: Final = Path(__file__).parents[1] / "docs" / "assets"
STATUS_COLUMNS: Final = 100
SUMMARY_COLUMNS: Final = 64
MID_WAY: Final = 0.6
"""Share of the events after which `winback status` runs."""

# Rich's own frame loads a font from another host. This one uses the reader's fonts and has no window buttons.
FRAME: Final = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{
  font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: {char_height}px;
  line-height: {line_height}px;
}}
.{unique_id}-title {{
  font-family: system-ui, sans-serif;
  font-size: 18px;
}}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/>
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def draw(name: str, output: Text | None, console: Console) -> None:
    """Write what `console` has recorded, and `output` if given, to `docs/assets/NAME.svg`."""
    if output is not None:
        console.print(output)
    svg = console.export_svg(title=f"winback {name}", theme=MONOKAI, code_format=FRAME, unique_id=name)
    (ASSETS / f"{name}.svg").write_text(svg, encoding="utf-8")


def recorder(columns: int) -> Console:
    """Return a console of this width that prints nothing and records."""
    return Console(record=True, width=columns, file=StringIO(), force_terminal=True, highlight=False)


def status_of(run: Demo) -> Text:
    """Return the output of `winback status`, as a terminal shows it."""
    command = [sys.executable, "-m", "winback", "status"]
    environment = {
        **os.environ,
        **run.environment,
        "FORCE_COLOR": "1",
        "COLUMNS": str(STATUS_COLUMNS),
        "TERM": "xterm-256color",
    }
    done = subprocess.run(  # noqa: S603 - our own command
        command, env=environment, check=False, capture_output=True, text=True, timeout=60
    )
    return Text.from_ansi(done.stdout.rstrip())


def main() -> None:
    """Draw the report; run the demo, and draw its status on the way and its summary at the end."""
    report_pictures.draw(ASSETS)
    with running(600, seed=1, over=SHOPPING, output=lambda *_: None) as run:
        total = sum(len(plan.events) for plan in run.plans)
        status: list[Text] = []

        def show(_: Overview, sent: int) -> None:
            if not status and sent > total * MID_WAY:
                status.append(status_of(run))

        summary = run.play(show, within=timedelta(seconds=58))
    draw("status", status[0], recorder(STATUS_COLUMNS))
    console = recorder(SUMMARY_COLUMNS)
    print_summary(console, summary)
    draw("demo", None, console)


if __name__ == "__main__":
    main()
