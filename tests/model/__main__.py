"""`python -m tests.model`: search the protocol, or show the consequences of a missing guard."""

import argparse
import sys
from pathlib import Path
from time import monotonic

from tests.model.guards import GUARDS, NOTHING, Without
from tests.model.mixes import LONG, SHORT, Mix
from tests.model.page import guard_table
from tests.model.search import search
from tests.model.words import story

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "protocol.md"
BEGIN, END = "<!-- guards: begin -->\n", "\n<!-- guards: end -->"


def main() -> int:
    """Search; return 1 if an invariant breaks with all guards, or holds without one."""
    parser = argparse.ArgumentParser(prog="python -m tests.model", description=__doc__)
    parser.add_argument("--long", action="store_true", help="all mixes, the large ones too: many minutes")
    parser.add_argument("--mix", help="only this mix")
    parser.add_argument("--without", metavar="GUARD", action="append", default=[], help="leave a guard out")
    parser.add_argument("--guards", action="store_true", help="list the guards and the mixes")
    parser.add_argument(
        "--page", action="store_true", help="write the table of the guards into docs/explanation/protocol.md"
    )
    given = parser.parse_args()
    if given.page:
        _write_page()
        return 0
    if given.guards:
        for name, guard in GUARDS.items():
            covered = f"; covered by {guard.covered_by}" if guard.covered_by else ""
            print(f"{name:16} {guard.where}: {guard.says}{covered}")
        print("mixes:", "; ".join(mix.name for mix in (*SHORT, *LONG)))
        return 0
    if unknown := set(given.without) - set(GUARDS):
        parser.error(f"there is no guard {min(unknown)}: --guards lists them")
    if given.mix and given.mix not in {mix.name for mix in (*SHORT, *LONG)}:
        parser.error(f"there is no mix {given.mix}: --guards lists them")
    chosen = [mix for mix in (*SHORT, *LONG) if mix.name == given.mix] or [*SHORT, *(LONG if given.long else ())]
    return _without(frozenset(given.without), chosen) if given.without else _all(chosen)


def _write_page() -> None:
    head, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    PAGE.write_text(f"{head}{BEGIN}{guard_table()}{END}{rest.partition(END)[2]}", encoding="utf-8")


def _all(mixes: list[Mix]) -> int:
    began, states = monotonic(), 0
    for mix in mixes:
        started = monotonic()
        found = search(mix)
        states += found.states
        verdict = found.violation or ("has more states than a search can visit" if found.gave_up else "holds")
        print(f"{mix.name:28} {found.states:>9,} states {monotonic() - started:7.1f} s  {verdict}")
        sys.stdout.flush()
        if found.violation:
            print(story(found.trace))
        if found.violation or found.gave_up:
            return 1
    print(f"{len(mixes)} mixes, {states:,} states, {monotonic() - began:.1f} s: every invariant holds in all of them")
    return 0


def _without(without: Without, mixes: list[Mix]) -> int:
    first = {GUARDS[name].mix for name in without}
    for mix in sorted(mixes, key=lambda mix: mix.name not in first):
        found = search(mix, without)
        if found.violation:
            print(f"without {', '.join(sorted(without))} ({mix.name}):\n{story(found.trace)}\n{found.violation}")
            return 0
    covered = {GUARDS[name].covered_by for name in without} - {""} - without
    print("no invariant breaks" + (f": {', '.join(sorted(covered))} holds in its place" if covered else ""))
    return int(without == NOTHING or not covered)


if __name__ == "__main__":
    raise SystemExit(main())
