"""Lists of a person's keys and of the keys without a TTL; see `state.keys`."""

# Keys whose members leave when they are done, or that are kept indefinitely.
WITHOUT_TTL = (
    "events",
    "events:*",
    "applied:*",
    "outcomes",
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
    "{NN}:outcomes",
    "{NN}:leased",
    "{NN}:dead",
    "{NN}:unknown",
    "{NN}:session:* (while its outreach is open)",
    "{NN}:outreach:* (while open)",
    "{person:*}:opted_out",
    "{person:*}:consent",
    "registers",
    "{privacy}:request:*",
    "{privacy}:due",
    "{privacy}:open:*",
    "{person:*}:consent (while it holds a refusal)",
)


OF_A_PERSON = (
    "bought",
    "bought_linked",
    "opted_out",
    "consent",
    "payment",
    "reserved",
    "contacts",
    "experiment",
    "sessions",
    "links",
    "forgotten",
)
"""The keys under a person's prefix; see `state.keys.Keys.person`."""
