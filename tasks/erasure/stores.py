"""The parts of the state that erasures use."""

from dataclasses import dataclass

from state.collectors import Collectors
from state.erasure import Erasure
from state.optouts import OptOuts


@dataclass(frozen=True, slots=True)
class ErasureStores:
    """The parts of the state that erasures use."""

    data: Erasure
    opt_outs: OptOuts
    collectors: Collectors
