"""From an abandoned session to a delivered outreach."""
