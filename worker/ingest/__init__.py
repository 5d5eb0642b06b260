"""Ingest: from the event streams to sessions, people and credited orders."""
