"""The channels on which a person can only be contacted with consent. Pure."""

from state.channels import CHANNELS, Channel
from tasks.policy.law.table import entries_of
from tasks.policy.setting_fields import LAW
from tasks.policy.settings import ContactSettings


def consent_required(jurisdictions: tuple[str, ...], settings: ContactSettings) -> frozenset[Channel]:
    """Return the channels that require consent in any of a person's jurisdictions.

    A country's entry in `contact.by_country` replaces its entry in `contact.require_consent`, including "law".
    """
    own = {code: each.require_consent for code, each in settings.by_country.items() if each.require_consent is not None}
    found: set[Channel] = set()
    for code in jurisdictions:
        if code in own:
            found.update(own[code])
        elif code in settings.require_consent:
            found.update(CHANNELS)
    if LAW in settings.require_consent:
        for code, entry in entries_of(jurisdictions, settings.law_off):
            if code not in own:
                found.update(entry.consent)
    return frozenset(found)
