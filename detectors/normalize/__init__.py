"""Read what shops and shoppers write: one module per kind of value. Pure.

Each reader takes the text as it arrived and returns its canonical form, or None when it has no valid reading.
"""
