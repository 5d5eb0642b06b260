"""The fix for each setting that is missing."""

HINTS = {
    "redis_url": "set WINBACK_REDIS_URL, like redis://localhost:6379/0",
    "broker_url": "set WINBACK_REDIS_URL (its database 1 is the broker) or WINBACK_BROKER_URL",
    "identity_secret": "set WINBACK_IDENTITY_SECRET to the secret of this server's data, or for a new server to at "
    "least 16 characters that never change (openssl rand -hex 32)",
    "encryption_keys": "set WINBACK_ENCRYPTION_KEYS (openssl rand -hex 32 makes a key)",
    "outcomes.webhook_url": "set WINBACK_OUTCOMES__WEBHOOK_URL, like https://shop.example/winback",
    "record.directory": "set WINBACK_RECORD__DIRECTORY, like var/recordings",
    "delivery.public_api_key": "set WINBACK_DELIVERY__PUBLIC_API_KEY to Yuno's key, or use mode shadow",
    "delivery.private_secret_key": "set WINBACK_DELIVERY__PRIVATE_SECRET_KEY to Yuno's key, or use mode shadow",
}
