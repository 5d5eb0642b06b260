"""Commands that recognise people with the identity secret that `winback up` generated."""

from pathlib import Path

import pytest

from state import deployment
from tests.support.decision_support import Shop
from tests.support.events import JANE, event
from tests.support.explaining import shop, told
from tests.support.ingest_support import ingest_of, publish
from tests.support.states import SECRET

__all__ = ["shop"]  # fixtures
pytestmark = pytest.mark.xdist_group("valkey")
PHONE = str(JANE["phone_number"])


@pytest.fixture
def without_secret(shop: Shop, tmp_path: Path) -> Shop:
    """Return a shop whose secret is only in the file."""
    shop.env["WINBACK_IDENTITY_SECRET"] = ""
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "identity_secret").write_text(f"{SECRET.decode()}\n")
    publish(shop.state, event(customer=JANE))
    ingest_of(shop.state).step()
    return shop


def test_generated_secret_of_the_data_finds_a_person(without_secret: Shop) -> None:
    shop = without_secret
    deployment.check(shop.state.scripts, shop.state.keys, SECRET)
    assert told(shop)["session"]["person"] is not None
    assert "s-1" in shop.run("explain", "--phone", PHONE)
    shop.run("forget", "--phone", PHONE, "--yes")


def test_generated_secret_isnt_recorded_for_other_data(without_secret: Shop) -> None:
    said = without_secret.run("optout", "add", PHONE, code=2)
    assert said.startswith("identity_secret: is missing; set WINBACK_IDENTITY_SECRET to the secret of this server's")
    assert told(without_secret)["session"]["person"] is None
    assert deployment.recorded_identity(without_secret.state.scripts, without_secret.state.keys) == ""


def test_generated_secret_of_other_data_isnt_used(without_secret: Shop) -> None:
    deployment.check(without_secret.state.scripts, without_secret.state.keys, b"the secret of other data")
    said = without_secret.run("person", "show", "--phone", PHONE, code=2)
    assert said.startswith("identity_secret: is missing")
