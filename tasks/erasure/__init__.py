"""Erasing a person: finding all data about them, removing it, and proving that nothing is left."""
