"""Logs of all roles: one line per event, without secrets and personal data."""
