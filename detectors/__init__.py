"""What counts as abandoned. Pure: no Redis, Celery, HTTP or clock in this package."""
