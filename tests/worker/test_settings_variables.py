"""Settings from environment variables."""

from worker.settings import Settings, load
from worker.settings.keys import leaves, variable
from worker.settings.origins import sources

OWN_VALUES = {
    "REDIS_URL": "redis://a:1/2",
    "REDIS_REPLICAS": "2",
    "BROKER_URL": "amqp://guest:guest@b//",
    "IDENTITY_SECRET": "0123456789abcdef",
    "ENCRYPTION_KEYS": bytes(range(32)).hex(),
    "ALARMS__NO_EVENTS_AFTER": "59m",
    "ALARMS__UNREACHABLE_RISE": "50",
    "FLOWER__BASIC_AUTH": "me:you",
    "NAMESPACE": "shop",
    "DELIVERY__MODE": "live",
    "DELIVERY__ALLOW_PRIVATE_ENDPOINT": "true",
    "DELIVERY__ENDPOINT": "http://127.0.0.1:1/x",
    "DELIVERY__PUBLIC_API_KEY": "pub",
    "DELIVERY__PRIVATE_SECRET_KEY": "priv",
    "DELIVERY__ON_UNKNOWN": "retry",
    "DELIVERY__RATE": "7/m",
    "DELIVERY__MAX_PER_DAY": "7",
    "DELIVERY__BREAKER_FAILURES": "7",
    "CONTACT__NEEDS_CART": '["payment"]',
    "CONTACT__REQUIRE_CONSENT": "Brazil",
    "CONTACT__TEST_LIST": "+573001234567",
    "CONTACT__DEFAULT_ZONE": "America/Bogota",
    "CONTACT__DISABLED_RULES": "holdout,ramp",
    "REPORT__TIME_ZONE": "America/Bogota",
    "TUNING__COLLECT": "false",
    "TUNING__HORIZONS": "30m,2h",
    "CONTACT__LAW": "off",
    "CONTACT__LAW_OFF": "ES,US-FL",
    "CONTACT__HOLIDAYS": "2026-12-24,CO:2026-12-31",
    "DETECTION__ORDERS_STOPPED": "hold",
    "CONTACT__BLOCK__DEFAULT": "off",
    "CONTACT__BLOCK__ALLOW": "ceo@shop.com,shop.com,+573001234567",
    "WORKER__POOL": "prefork",
    "INGEST__READ_TIMEOUT": "3s",
    "EXPERIMENT__START": "2026-12-01",
    "EXPERIMENT__STAGES": "payment",
    "EXPERIMENT__HOLDOUT": "15",
    "EXPERIMENT__WINDOW": "70h",
    "EXPERIMENT__DIFFERENCE": "3",
    "OUTCOMES__MAX_LENGTH": "70000",
    "OUTCOMES__RETENTION": "2h",
    "OUTCOMES__ALLOW_PRIVATE_WEBHOOK": "true",
    "OUTCOMES__WEBHOOK_URL": "https://shop.example/winback",
    "OUTCOMES__WEBHOOK_SECRETS": "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
    "OUTCOMES__WEBHOOK_MAX_AGE": "2h",
    "OUTCOMES__TYPES": "contacted,recovered",
    "COLLECT__SERVER_KEYS": '["server-key-1", "server-key-2"]',
    "COLLECT__PUBLIC_KEYS": "public-key-1,public-key-2",
    "COLLECT__SHOPIFY": '{"shop-a": ["shopify-secret"]}',
    "COLLECT__WOOCOMMERCE": '{"shop-a": ["woo-secret", "woo-secret-2"]}',
    "COLLECT__YUNO_SECRETS": "yuno-secret",
    "COLLECT__SEGMENT_SECRETS": "segment-secret",
    "COLLECT__STANDARD_WEBHOOKS_SECRETS": "whsec_c2VjcmV0",
    "COLLECT__CHECKOUT_PATHS": "/checkout,/kasse",
    "COLLECT__TRUSTED_PROXIES": "10.0.0.0/8,127.0.0.1",
}
"""By key."""
OF_A_SECTION = {
    "CALL": "traits.call_consent",
    "WHATSAPP": "traits.whatsapp_consent",
    "QUIET_HOURS": "22:00-07:00",
    "CHANNEL": "call",
    "MIN_VALUE": "USD=20,cop=5",
    "WHATSAPP_BELOW": "USD=20,cop=5",
    "LIMITS": "1/24h,4/30d",
    "ENABLED": "false",
    "ADDRESS": "0.0.0.0",  # noqa: S104 - nothing listens
    "RAMP": "50",
    "HOLDOUT": "5",
    "ROTATE_AFTER": "59m",
    "LIMIT_MB": "70",
    "KEEP": "15d",
    "BOT_DOMAINS": "robots.example",
    "BOT_ADDRESSES": '["robot@shop.com"]',
    "BOT_NUMBERS": "+1???55501??",
    "INTERNAL_DOMAINS": "shop.com,agency.com",
    "INTERNAL_ADDRESSES": "qa+*@gmail.com",
    "INTERNAL_NUMBERS": "+5730012345*,+573001234500-+573001234599",
}
"""By the last part of the key."""
NUMBERS = {
    "MAX_ATTEMPTS",
    "IN_FLIGHT",
    "MAX_PER_SESSION",
    "BATCH",
    "BOT_EVENTS_PER_MINUTE",
    "BACKLOG_LIMIT",
    "STREAMS",
    "MAX_DELIVERIES",
    "CONCURRENCY",
    "PORT",
    "MAX_TASKS",
    "PAYMENT_STEP",
    "BODY_LIMIT_MB",
    "RATE_PER_KEY",
    "RATE_PER_ADDRESS",
    "SPOOL_LIMIT_MB",
}
"""The last parts of keys."""
LEFT_OUT = {("config",), ("experiment", "name")}
"""An experiment needs arms, and no contact.holdout."""


def test_every_setting_can_be_given_by_its_environment_variable() -> None:
    env = {}
    for name in map(variable, leaves(Settings)):
        key = name.removeprefix("WINBACK_")
        last = key.rsplit("__", 1)[-1]
        other = "7" if last in NUMBERS else "90m" if key == "DETECTION__MAX_ABANDONMENT_AGE" else "59s"
        env[name] = OWN_VALUES.get(key) or OF_A_SECTION.get(last) or other
    for path in LEFT_OUT:
        del env[variable(path)]

    settings = load(env)

    given = set(sources(settings, env).values())
    assert given == {*env, "default"}
    before, after = Settings().model_dump(), settings.model_dump()
    untouched = [
        path
        for path in leaves(Settings)
        if path not in {("config",), ("experiment", "name")}
        and _at(before, path) == _at(after, path)
        and _at(after, path) is not None
    ]
    assert untouched == []


def test_experiment_can_be_given_by_environment_variables() -> None:
    of_arms = {"ARMS__NOW__DELAY": "off", "ARMS__LATER__DELAY": "24h", "ARMS__LATER__CHANNEL": "whatsapp"}
    env = {"NAME": "first", "START": "2026-12-01", **of_arms}
    found = load({f"WINBACK_EXPERIMENT__{name}": value for name, value in env.items()}).experiment
    assert (found.name, found.names) == ("first", ("later", "now", "holdout"))
    assert found.arms["later"].channel == "whatsapp"


def _at(tree: object, path: tuple[str, ...]) -> object:
    for key in path:
        tree = tree.get(key) if isinstance(tree, dict) else None
    return tree


def test_an_empty_variable_is_an_unset_one() -> None:
    assert load({"WINBACK_REDIS_URL": "", "WINBACK_DELIVERY__MODE": "  "}).redis_url is None
