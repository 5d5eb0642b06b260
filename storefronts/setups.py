"""What the operator of a shop enters in the sender's system, by source, and why a request isn't accepted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from storefronts import ga4, segment_names, shopify, shopify_pixel, woocommerce, yuno
from storefronts.delivery import Delivery
from storefronts.signatures import is_near
from storefronts.write_keys import KeyClass, stated_keys

Cause = Literal[
    "no_key", "unknown_key", "unknown_shop", "no_secret", "no_signature", "old_signature", "wrong_signature"
]
"""Why a request isn't accepted: what is missing or wrong."""
KEY_CAUSES: frozenset[Cause] = frozenset({"no_key", "unknown_key"})
"""The causes for a source that has a write key."""


@dataclass(frozen=True, slots=True)
class Setup:
    """How a sender is connected."""

    url: str
    """The path that is entered there. `{shop}` stands for the shop's name."""
    where: str
    """Where it is entered."""
    subscribe: tuple[str, ...] = ()
    """The topics or events to choose there."""
    setting: str = ""
    """The setting of the secret that signs requests; "" if a write key is needed instead."""
    shown_at: str = ""
    """Where the sender's system shows the secret; "" if the operator chooses it."""
    prefix: str = ""
    """What a chosen secret begins with."""
    header: str = ""
    """The header of the signature."""
    key_class: KeyClass = "server"
    usual_cause: str = ""
    """The usual cause of a wrong signature."""
    notes: tuple[str, ...] = ()

    @property
    def has_shop(self) -> bool:
        """Whether the URL has the shop's name in it."""
        return "{shop}" in self.url


SETUPS: Mapping[str, Setup] = {
    "shopify": Setup(
        "/shopify/{shop}",
        "In the app's webhook subscriptions (shopify.app.toml or the Admin API, format JSON)",
        tuple(shopify.TOPICS),
        "collect.shopify",
        shown_at="the client secret of the app (Dev Dashboard, the app, Settings)",
        header="X-Shopify-Hmac-Sha256",
        usual_cause="webhooks made in the admin (Settings > Notifications) are signed with another secret, which that "
        "page shows; add it to the list, or make the webhooks in the app",
        notes=("Names, phone numbers and e-mail addresses need Shopify's approval for protected customer data.",),
    ),
    "shopify-pixel": Setup(
        "/shopify-pixel/{shop}",
        "In the code of a custom pixel (Settings > Customer events > Add custom pixel)",
        tuple(shopify_pixel.EVENTS),
        key_class="public",
        notes=("The code is deploy/shopify/pixel.js: set the URL and the key in its first lines.",),
    ),
    "woocommerce": Setup(
        "/woocommerce/{shop}",
        "In one webhook for each topic (WooCommerce > Settings > Advanced > Webhooks > Add webhook)",
        woocommerce.TOPICS,
        "collect.woocommerce",
        header="X-WC-Webhook-Signature",
        usual_cause="each webhook has a secret of its own, and the consumer secret of the REST API isn't one",
        notes=("WooCommerce reports orders, not carts: use the browser snippet or Segment for the carts.",),
    ),
    "yuno": Setup(
        "/yuno",
        "In Yuno's dashboard (Developers > Webhooks > Add webhook, with HMAC on)",
        yuno.TRIGGERS,
        "collect.yuno_secrets",
        header="x-hmac-signature",
        usual_cause="the client secret of the webhook's HMAC counts, not x-secret, x-api-key or an API key",
        notes=("Give each payment the metadata winback_session_id.",),
    ),
    "segment": Setup(
        "/v1",
        "In each SDK (its option host without /v1, or apiHost of analytics.js without https://)",
        segment_names.EVENTS,
        notes=("The SDK sends the key as its write key. Pages and apps need a public key: add --public.",),
    ),
    "rudderstack": Setup(
        "/v1",
        "In each SDK (its option dataPlaneUrl, without /v1)",
        segment_names.EVENTS,
        notes=("The SDK sends the key as its write key. Pages and apps need a public key: add --public.",),
    ),
    "segment-webhook": Setup(
        "/segment-webhook",
        "In Segment's destination Webhooks (a mapping for each type of call, batching off)",
        segment_names.EVENTS,
        "collect.segment_secrets",
        header="X-Signature",
        usual_cause="the shared secret of the destination differs, or an insert function changed the body",
    ),
    "ga4": Setup(
        "/ga4?writeKey={key}",
        "In a tag of server-side Tag Manager that posts the event data as JSON",
        tuple(ga4.EVENTS),
        notes=("GA4 has no phone numbers: another source has to name the customer.",),
    ),
    "events": Setup(
        "/events", "In the shop's own code, which posts events as JSON with the key as user name of Basic", ()
    ),
    "snippet": Setup(
        "/events",
        "In the pages of the shop, before </head>",
        key_class="public",
        notes=("docs/guides/browser.md lists the options.",),
    ),
    "standard-webhooks": Setup(
        "/standard-webhooks",
        "In the sender's list of webhook endpoints",
        setting="collect.standard_webhooks_secrets",
        prefix="whsec_",
        header="webhook-signature",
        usual_cause="the secret is Base64 after whsec_, and each endpoint has its own",
        notes=("Most senders make the secret. Use theirs instead of the new one if they show one.",),
    ),
    "cloudevents": Setup(
        "/cloudevents", "In the subscription's sink (with the key as Bearer token, or as ?access_token= in the URL)"
    ),
}
"""By source. `snippet` is the browser snippet, whose requests are those of the source `events`."""
ALIASES: Mapping[str, str] = {"pixel": "shopify-pixel", "winback.js": "snippet", "browser": "snippet"}
"""Other names of sources."""


def is_signed(source: str, delivery: Delivery) -> bool:
    """Whether a request has the header of its source's signature. `events` can be inside Standard Webhooks."""
    setup = SETUPS["standard-webhooks" if source == "events" else source]
    return bool(delivery.header(setup.header, setup.header.removeprefix("X-")))


def cause_of_signature(source: str, delivery: Delivery) -> Cause:
    """Return why the signature of a request isn't accepted."""
    if not is_signed(source, delivery):
        return "no_signature"
    if source in {"events", "standard-webhooks"} and not is_near(delivery.header("webhook-timestamp"), delivery):
        return "old_signature"
    return "wrong_signature"


def cause_of_key(delivery: Delivery) -> Cause:
    """Return why the key of a request isn't accepted. The body isn't read."""
    return "unknown_key" if any(stated_keys(delivery)) or b'"writeKey"' in delivery.body else "no_key"
