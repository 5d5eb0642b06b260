"""Celery's output outside of logging: banners, and messages in signal handlers."""

import celery.apps.beat
import celery.apps.worker

from worker.logs import role_output


def replace(role: str) -> None:
    """Suppress Celery's banners, and print its messages in a signal handler as JSON. On a terminal nothing changes."""
    if not role_output.is_json():
        return
    # The command line has been read by now. Winback's own first line replaces the banner.
    for program in (celery.apps.worker.Worker, celery.apps.beat.Beat):
        program.quiet = property(lambda _self: True, lambda _self, _asked: None)

    def say(message: str, file: object = None) -> None:
        del file
        for text in filter(None, message.splitlines()):
            role_output.write(role_output.line("celery_says", role, text=text))

    celery.apps.worker.safe_say = say
