"""The longest delay of a contact that the settings allow."""

from datetime import timedelta

from tasks.policy.experiment import ExperimentSettings
from tasks.policy.settings import ContactSettings


def longest_delay(contact: ContactSettings, experiment: ExperimentSettings) -> timedelta:
    """Return the longest of the delays of all stages and arms.

    The age of a contact doesn't include its delay. The rules check the exact one when an outreach is sent.
    """
    stages = (each.delay for each in contact.by_stage.values())
    arms = (each.delay for each in experiment.arms.values())
    return max(contact.delay, *(delay for delay in (*stages, *arms) if delay is not None), timedelta(0))
