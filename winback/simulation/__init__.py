"""A fictitious shop and a mock of Yuno's API, for the demo and for tests."""
