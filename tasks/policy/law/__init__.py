"""The contact law: the countries whose rules apply to a person, and what they allow. Pure. Not legal advice.

One file per country, and per state of the US, is in `data/`. It restricts the shop's settings and never relaxes them.
"""
