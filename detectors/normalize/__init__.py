"""Readers for values that shops and shoppers write: one module per kind of value. Pure.

Each reader takes the original text and returns its canonical form, or None if it has no valid reading.
"""
