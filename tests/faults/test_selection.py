"""Some of the faults, seeded, in every test run; `make faults` runs all of them many times."""

from collections.abc import Iterator

import pytest

from tests.faults.all import ALL
from tests.faults.fault import Fault, Result, run_once
from tests.faults.observed import ROLES
from tests.faults.system import System

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e_more")]

SELECTED = {"1b": 7, "2c": 7, "3d": 7, "4bb": 7, "13a": 7, "18b": 7, "32a": 7}
"""Number of the fault, and the seed."""


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with System(tmp_path_factory.mktemp("system") / "one", {}, (*ROLES, "recover-2", "collect")) as started:
        yield started


@pytest.mark.parametrize("fault", [fault for fault in ALL if fault.number in SELECTED], ids=lambda f: f.number)
def test_the_promise_is_kept_under(system: System, fault: Fault) -> None:
    verdict = run_once(fault, SELECTED[fault.number], system, Result(fault))
    assert not verdict.violations, "\n".join(verdict.violations)
    assert verdict.contacts
