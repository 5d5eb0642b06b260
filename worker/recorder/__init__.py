"""The recorder: writes applied events to files without personal data, for `winback tune`."""
