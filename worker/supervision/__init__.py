"""Roles as child processes: start, restart, stop, and the embedded server."""
