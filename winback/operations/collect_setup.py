"""The steps that connect a sender with the collector, as lines of text. Pure but for the secret that it makes."""

import base64
import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from pydantic import SecretStr

from storefronts.setups import SETUPS, Setup
from storefronts.write_keys import KeyClass
from worker.collector.settings import CollectSettings
from worker.settings.keys import variable

SHOP = "SHOP"
"""Stands for a shop's name that isn't known."""
_KEYS: Mapping[KeyClass, str] = {"server": "collect.server_keys", "public": "collect.public_keys"}
_LOCAL = ("127.", "localhost", "0.0.0.0", "::1", "[::")  # noqa: S104 - compared, not listened on


class Line(NamedTuple):
    """A line of the steps."""

    text: str
    is_code: bool = False
    """Whether it is copied as it is, and so is never wrapped."""


class Wanted(NamedTuple):
    """What is to be connected."""

    source: str
    shop: str = ""
    base_url: str = ""
    """The collector's public address; "" if it isn't known."""
    key_class: KeyClass = "server"

    @property
    def setup(self) -> Setup:
        """How the source is connected."""
        return SETUPS[self.source]

    @property
    def reported_as(self) -> str:
        """The source under which collectors report its requests."""
        name = "events" if self.source == "snippet" else self.source
        return f"{name}/{self.shop}" if self.setup.has_shop else name


def steps(wanted: Wanted, settings: CollectSettings) -> Iterator[Line]:
    """Yield the steps. A new secret is in them only if the operator chooses it and none is set."""
    setup = wanted.setup
    held, chosen = _held(wanted, settings), _chosen(wanted)
    base = wanted.base_url or f"http://{settings.address}:{settings.port}"
    if wanted.source == "snippet":
        yield from _snippet(base, "KEY" if held else chosen)
    else:
        yield Line(f"1. {setup.where}, enter this URL:")
        yield Line(base.rstrip("/") + _filled(setup.url, wanted.shop), is_code=True)
    if base.removeprefix("http://").startswith(_LOCAL):
        yield Line(
            "The sender must reach it: use the public HTTPS address of your proxy with --url https://collect.example."
        )
    yield Line("")
    if setup.subscribe:
        yield Line("2. Choose these topics or events:")
        yield Line(", ".join(setup.subscribe))
        yield Line("")
    yield Line(f"{3 if setup.subscribe else 2}. {_secret_sentence(wanted, held)}")
    yield from (_setting_lines(wanted, chosen, settings) if not held else ())
    for note in setup.notes:
        yield Line("")
        yield Line(note)


def _snippet(base: str, key: str) -> Iterator[Line]:
    yield Line("1. Add this to every page of the shop, before </head>:")
    yield Line(f'<script src="{base.rstrip("/")}/winback.js" data-key="{key}"', is_code=True)
    yield Line('  data-stages="/cart=cart_review, /checkout=checkout" defer></script>', is_code=True)


def _filled(url: str, shop: str) -> str:
    return url.replace("{shop}", shop or SHOP).replace("{key}", "KEY")


def _held(wanted: Wanted, settings: CollectSettings) -> Sequence[SecretStr]:
    """Return the secrets, or the keys of the class, that are set."""
    found = getattr(settings, (wanted.setup.setting or _KEYS[wanted.key_class]).rpartition(".")[2])
    held: Sequence[SecretStr] = found.get(wanted.shop, ()) if isinstance(found, Mapping) else found
    return held


def _secret_sentence(wanted: Wanted, held: Sequence[SecretStr]) -> str:
    setup, setting = wanted.setup, wanted.setup.setting or _KEYS[wanted.key_class]
    number = len(held)
    where = f"{setting}{f' of {wanted.shop}' if setup.setting and setup.has_shop else ''}"
    if held:
        words = "1 is" if number == 1 else f"{number} are"
        kind = "secret" if setup.setting else f"{wanted.key_class} key"
        return f"Use a {kind} that is set now: {words} in {where}."
    if setup.shown_at:
        return f"No secret is set in {where}. Copy {setup.shown_at}, and set it for the collector:"
    if setup.setting:
        return f"No secret is set in {where}. Enter this new one there, and set it for the collector:"
    return f"No key is set in {where}. Use this new {wanted.key_class} key, and set it for the collector:"


def _chosen(wanted: Wanted) -> str:
    """Return a new secret; a placeholder if the sender's system makes it."""
    setup = wanted.setup
    if setup.shown_at:
        return "SECRET"
    if setup.prefix:
        return setup.prefix + base64.b64encode(secrets.token_bytes(24)).decode()
    return ("pk_" if not setup.setting and wanted.key_class == "public" else "") + secrets.token_hex(24)


def _setting_lines(wanted: Wanted, secret: str, settings: CollectSettings) -> Iterator[Line]:
    setup = wanted.setup
    section, _, name = (setup.setting or _KEYS[wanted.key_class]).partition(".")
    variable_name = variable((section, name))
    if not (setup.setting and setup.has_shop):
        yield Line(f"export {variable_name}='{secret}'", is_code=True)
        return
    yield Line(f'export {variable_name}=\'{{"{wanted.shop}": ["{secret}"]}}\'', is_code=True)
    others = [shop for shop in getattr(settings, name) if shop != wanted.shop]
    if others:
        yield Line(f"Keep the shops that are in {setup.setting}: {', '.join(others)}.")
    yield Line("Or in winback.toml:")
    yield Line(f"[{section}.{name}]", is_code=True)
    yield Line(f'"{wanted.shop}" = ["{secret}"]', is_code=True)
