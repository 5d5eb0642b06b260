"""The stages of the flow in order, the platforms, and the types of events."""

from typing import Literal

Stage = Literal["product_selection", "cart_review", "checkout", "payment"]
Platform = Literal["web", "ios", "android"]
EventType = Literal["activity", "exit", "payment_declined", "payment_pending", "order_completed", "opt_out"]

STAGES: tuple[Stage, ...] = ("product_selection", "cart_review", "checkout", "payment")
"""Every stage, in flow order."""

PLATFORMS: tuple[Platform, ...] = ("web", "ios", "android")
