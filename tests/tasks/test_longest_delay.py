from datetime import timedelta

from tasks.policy.experiment import ArmSettings, ExperimentSettings
from tasks.policy.longest_delay import longest_delay
from tasks.policy.settings import ContactSettings
from tasks.policy.stage_settings import StageContact

HOUR = timedelta(hours=1)


def test_longest_delay_is_of_any_stage_or_arm() -> None:
    general = ContactSettings(delay=HOUR)
    staged = general.model_copy(update={"by_stage": {"payment": StageContact(delay=2 * HOUR)}})
    arms = ExperimentSettings().model_copy(update={"arms": {"late": ArmSettings(delay=3 * HOUR), "a": ArmSettings()}})
    assert longest_delay(ContactSettings(), ExperimentSettings()) == ContactSettings().delay
    assert longest_delay(general, ExperimentSettings()) == HOUR
    assert longest_delay(staged, ExperimentSettings()) == 2 * HOUR
    assert longest_delay(staged, arms) == 3 * HOUR
