"""What is kept of names that a sender chooses."""

from detectors.reading import names


def test_long_names_do_not_fill_the_caches() -> None:
    squashed, kinds = names._squashed.cache_info().currsize, names._event_type.cache_info().currsize
    for number in range(100):
        names.squash("n" * 300 + str(number))
        names.event_type("t" * 300 + str(number))
    # A type is also looked up by its own squashed names.
    assert names._squashed.cache_info().currsize <= squashed + 3
    assert names._event_type.cache_info().currsize <= kinds + 1
