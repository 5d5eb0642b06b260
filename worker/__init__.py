"""The processes: Celery application, ingest, monitoring and supervision."""
