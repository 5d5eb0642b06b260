"""Checks, alarms, metrics and `doctor`."""
