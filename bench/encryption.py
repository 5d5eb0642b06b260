"""The cost of encryption and the contact policy, as figures: processor time with them relative to that without."""

from bench import encryption_cost
from bench.figures import Figure, ratio
from bench.progress import say

PART = "encryption and contact policy"


def measure(*, quick: bool = False, rounds: int = 5) -> list[Figure]:
    say("encryption and contact policy")
    found = []
    for what, pairs in encryption_cost.measure(1 if quick else rounds).items():
        less, more = ([figures["processor, us"] for figures in side] for side in zip(*pairs, strict=True))
        found.append(ratio(PART, f"{what}, against without", more, less))
    return found
