"""Checks of one concern each; `worker.monitoring.health` runs them all."""
