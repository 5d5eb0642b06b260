"""Settings of the sources: the fields that mean consent, the step of the payment, and the checkout's pages."""

from collections.abc import Mapping
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict

from storefronts.options import Channel, Options
from tasks.policy.setting_fields import read_list

ConsentSource = Literal["segment", "shopify", "shopify_pixel", "woocommerce", "yuno", "ga4"]
"""Sources whose bodies can hold a consent in a field of the shop's choice."""
_SAME_BODIES: Mapping[str, ConsentSource] = {
    "rudderstack": "segment",
    "segment-webhook": "segment",
    "shopify-pixel": "shopify_pixel",
}
_LONGEST_PATH = 200


def _is_path(field: str) -> str:
    if len(field) > _LONGEST_PATH or not all(step.strip() == step != "" for step in field.split(".")):
        raise ValueError("is not a field: write its path with dots, such as traits.call_consent")
    return field


def _are_pages(paths: tuple[str, ...]) -> tuple[str, ...]:
    for path in paths:
        if not path.startswith("/") or path == "/":
            raise ValueError(f"{path!r} is not the beginning of a path: write it with a slash, such as /checkout")
    return paths


def _name_sources(consent: object) -> object:
    """Return the settings of consent unchanged.

    Raises:
        ValueError: a field stands where a source belongs.
    """
    if isinstance(consent, Mapping) and any(isinstance(field, str) for field in consent.values()):
        raise ValueError("names a field without its source: write it under [collect.consent.segment] or another source")
    return consent


FieldPath = Annotated[str, AfterValidator(_is_path)]
Pages = Annotated[tuple[str, ...], BeforeValidator(read_list), AfterValidator(_are_pages)]


class ConsentFields(BaseModel):
    """The fields of one source that mean consent, each as a path with dots in the source's own body.

    Attributes:
        call: The field that means consent to be called; None: no field does.
        whatsapp: The same for WhatsApp.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, str_strip_whitespace=True)

    call: FieldPath | None = None
    whatsapp: FieldPath | None = None

    def by_channel(self) -> dict[Channel, str]:
        """Return the field of each channel that has one."""
        stated: dict[Channel, str | None] = {"call": self.call, "whatsapp": self.whatsapp}
        return {channel: path for channel, path in stated.items() if path}


Consent = Annotated[dict[ConsentSource, ConsentFields], BeforeValidator(_name_sources)]


def source_options(
    source: str,
    *,
    consent: Mapping[ConsentSource, ConsentFields],
    payment_step: int | None,
    checkout_paths: tuple[str, ...],
) -> Options:
    """Return what the settings say about a source. RudderStack's and Segment's bodies are the same."""
    found = _SAME_BODIES.get(source) or next((name for name in get_args(ConsentSource) if name == source), None)
    fields = consent.get(found) if found else None
    return Options(fields.by_channel() if fields else {}, payment_step, checkout_paths)
