"""Which keys a person has, and which keys of all have no TTL; see `state.keys`."""

# Keys that live as long as what they hold: members leave when they are done, or the record is for ever.
WITHOUT_TTL = (
    "events",
    "events:*",
    "applied:*",
    "deployment",
    "sweep",
    "problems",
    "{control}:sending",
    "{control}:orders",
    "{control}:progress",
    "{control}:thresholds",
    "{NN}:lane:*",
    "{NN}:due",
    "{NN}:clock",
    "{NN}:leased",
    "{NN}:dead",
    "{NN}:unknown",
    "{NN}:session:* (while its outreach is open)",
    "{NN}:outreach:* (while open)",
    "{person:*}:opted_out",
    "{person:*}:consent",
    "registers",
    "{person:*}:consent (while it holds a refusal)",
)


OF_A_PERSON = (
    "bought",
    "bought_linked",
    "opted_out",
    "consent",
    "reserved",
    "contacts",
    "sessions",
    "links",
    "forgotten",
)
"""The keys under the prefix of a person; see `state.keys.Keys.person`."""
