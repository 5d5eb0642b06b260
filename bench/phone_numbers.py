"""The time to read phone numbers, in ms per thousand: new ones in usual spellings, repeated ones, identities.

Run with `python -m bench.phone_numbers`. The goal is 200 ms per thousand new numbers. Processor time comes first: on a
busy machine it is more reliable than the clock.
"""

from collections.abc import Callable, Iterator
from random import Random
from statistics import median
from time import perf_counter, process_time

from detectors.normalize import identities, phones

NUMBERS = 1_000
ROUNDS = 7
Written = tuple[str, str]
"""A written number, and the customer's country."""


def numbers(random: Random, spellings: tuple[Written, ...]) -> Iterator[Written]:
    for _ in range(NUMBERS):
        spelling, country = random.choice(spellings)
        yield "".join(random.choice("123456789") if sign == "#" else sign for sign in spelling), country


CLEAN = (("+57300#######", "CO"), ("+5511987#####", "BR"), ("+5255########", "MX"), ("+54911########", "AR"))
USUAL = (
    *CLEAN,
    ("300 ### ####", "CO"),
    ("(1) 2######", "CO"),
    ("0057 300 ### ####", "CO"),
    ("(11) 987##-####", "BR"),
    ("+55 (011) 87##-####", "BR"),
    ("044 55 #### ####", "MX"),
    ("52155########", "MX"),
    ("011 15 5###-####", "AR"),
    ("9 8### ####", "CL"),
    ("not a number", "PE"),
)
FOREIGN = (("+1 212 55# ####", "CO"), ("+49 (0)151 ########", "DE"), ("98765432#", "PE"), ("00 44 7400 ######", "GB"))


def measured(
    read: Callable[[Written], object], spellings: tuple[Written, ...], *, again: bool = False
) -> list[tuple[float, float]]:
    """Return ms per thousand numbers, by the processor and by the clock; each round has its own numbers."""
    found = []
    for seed in range(ROUNDS):
        drawn = list(numbers(Random(seed), spellings))
        for _ in range(1 + again):
            began = process_time(), perf_counter()
            for number in drawn:
                read(number)
            took = process_time() - began[0], perf_counter() - began[1]
        found.append((took[0] * 1e6 / NUMBERS, took[1] * 1e6 / NUMBERS))
    return found


def main() -> None:
    began = perf_counter()
    phones.phone("+573001234567", "CO")
    print(f"the first number, which loads its plan: {(perf_counter() - began) * 1000:.1f} ms")
    found = {
        "new, in E.164": measured(lambda one: phones.phone(*one), CLEAN),
        "new, in usual spellings": measured(lambda one: phones.phone(*one), USUAL),
        "new, of other countries": measured(lambda one: phones.phone(*one), FOREIGN),
        "repeated": measured(lambda one: phones.phone(*one), USUAL, again=True),
        "identities of a contact": measured(lambda one: identities.identities_of(*one, ""), USUAL),
        "identities of a stop signal": measured(lambda one: identities.named_by(*one, ""), USUAL),
        "the same without a country": measured(lambda one: identities.named_by(one[0], "", ""), USUAL),
    }
    for name, rounds in found.items():
        processor, clock = (median(figures) for figures in zip(*rounds, strict=True))
        print(f"{name}: {processor:.1f} ms for a thousand, {clock:.1f} ms by the clock")


if __name__ == "__main__":
    main()
