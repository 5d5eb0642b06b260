"""The Celery application of this process, for `celery -A worker.app worker|beat|flower`."""

from worker.celery_support.application import create_app
from worker.celery_support.process import settings_of_process

app = create_app(settings_of_process())
