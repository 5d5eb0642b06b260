"""The lenient reading of events: from what shops send to the canonical form. Pure.

See docs/reference/reading-events.md.
It only runs for events that aren't in the canonical form. Signals that stop a contact (an order, an opt-out, a refusal,
an emptied cart) are read in any form that has one meaning. An activity is read strictly, because it can start a
contact.
"""
