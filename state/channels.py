"""The channels on which a person can be contacted."""

from typing import Literal, get_args

Channel = Literal["call", "whatsapp"]
CHANNELS: tuple[Channel, ...] = get_args(Channel)
