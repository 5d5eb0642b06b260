"""Thresholds from a shop's own return times: pure, from the silences of a recording to a recommendation.

`silences` holds the recorded silences, `collector` finds them, `contacts` counts the contacts that each threshold would
have made, `curve` turns the counts into shares, and `recommendation` chooses.
"""
