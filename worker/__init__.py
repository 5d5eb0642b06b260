"""The processes: Celery application, ingest, supervisor, stand-in API and command line."""
