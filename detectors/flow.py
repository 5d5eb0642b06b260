"""The words for where a shopper is: the stages of the flow, in its order, and the platforms."""

from typing import Literal

Stage = Literal["product_selection", "cart_review", "checkout", "payment"]
Platform = Literal["web", "ios", "android"]

STAGES: tuple[Stage, ...] = ("product_selection", "cart_review", "checkout", "payment")
"""Every stage, in flow order."""

PLATFORMS: tuple[Platform, ...] = ("web", "ios", "android")
