"""Flower's options, found by `celery -A worker.app flower` in the working directory."""

from worker.app import app
from worker.celery_support.flower_options import flower_options

globals().update(flower_options(app.settings.flower))
