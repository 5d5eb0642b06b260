"""The definition of an abandoned session. Pure: no Redis, Celery, HTTP or clock in this package."""
