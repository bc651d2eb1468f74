"""The recurrent cores: every network of the lecture on liquid networks, one file each, behind the contract of `core`.

CORES is the one list of them.  A core is a file in this folder and a row here: how it is built from the number of features
it reads and the driver's spec, and a line that says what it is.
"""

from collections.abc import Callable
from typing import NamedTuple

from lanekeep_policies.cores.cfc import CfC
from lanekeep_policies.cores.core import Core
from lanekeep_policies.cores.ct_gru import CTGRU
from lanekeep_policies.cores.ct_rnn import CTRNN
from lanekeep_policies.cores.feedforward import FeedForward
from lanekeep_policies.cores.gru import GRU
from lanekeep_policies.cores.liquid_s4 import LiquidS4
from lanekeep_policies.cores.lstm import LSTM
from lanekeep_policies.cores.ltc import LTC
from lanekeep_policies.cores.mixed_memory import MixedMemory
from lanekeep_policies.cores.neural_ode import NeuralODE
from lanekeep_policies.cores.rnn import RNN
from lanekeep_policies.cores.wired_cfc import WiredCfC
from lanekeep_policies.heads import Head, cnn, pilotnet
from lanekeep_policies.heads.ncp_conv import ConvHead
from lanekeep_policies.spec import DriverSpec
from lanekeep_policies.wiring import Wiring, fully_connected, ncp_wiring

__all__ = ["CORES", "Core", "CoreRow"]


class CoreRow(NamedTuple):
    """A row of CORES."""

    build: Callable[[int, DriverSpec], Core]  # given the number of features
    summary: str
    liquid: bool = False  # whether it holds an LTC, which wants a higher learning rate than others
    head: Callable[[int, int], Head] = ConvHead  # from the rows and columns of a frame
    needs: str = ""  # what has to be there for a core that is not of this project: a file, or a distribution


def ncp_wiring_of(features: int, spec: DriverSpec) -> Wiring:
    """The paper's wiring, with a motor neuron for each action."""
    return ncp_wiring(features, motor=spec.actions, seed=spec.wiring_seed)


def full_wiring_of(features: int, spec: DriverSpec) -> Wiring:
    """As many neurons, without layers, and all synapses there can be."""
    return fully_connected(features, 18 + spec.actions, spec.actions, seed=spec.wiring_seed)


CORES: dict[str, CoreRow] = {
    "ncp": CoreRow(
        lambda f, s: LTC(ncp_wiring_of(f, s)), "neural circuit policy: 19 LTC neurons in layers", liquid=True
    ),
    "ncp-mixed": CoreRow(
        lambda f, s: MixedMemory(LTC(ncp_wiring_of(f, s))), "neural circuit policy behind a memory", liquid=True
    ),
    "ltc": CoreRow(lambda f, s: LTC(full_wiring_of(f, s)), "19 LTC neurons, fully connected", liquid=True),
    "ncp-cfc": CoreRow(lambda f, s: WiredCfC(ncp_wiring_of(f, s)), "closed-form neurons on the same wiring"),
    "cfc": CoreRow(lambda f, _: CfC(f), "closed-form continuous-time network"),
    "cfc-pure": CoreRow(lambda f, _: CfC(f, mode="pure"), "closed form without gates, as the solution reads"),
    "cfc-no-gate": CoreRow(lambda f, _: CfC(f, mode="no-gate"), "closed form whose gate of time only adds"),
    "cfc-mixed": CoreRow(lambda f, _: MixedMemory(CfC(f)), "closed-form network behind a memory"),
    "ct-gru": CoreRow(lambda f, _: CTGRU(f), "gated recurrent unit whose gates choose time scales"),
    "ct-rnn": CoreRow(lambda f, _: CTRNN(f), "continuous-time recurrent network"),
    "neural-ode": CoreRow(lambda f, _: NeuralODE(f), "a state that flows along a small network"),
    "rnn": CoreRow(lambda f, _: RNN(f), "standard recurrent network"),
    "gru": CoreRow(lambda f, _: GRU(f), "gated recurrent unit"),
    "lstm": CoreRow(lambda f, _: LSTM(f), "long short-term memory, the baseline"),
    "liquid-s4": CoreRow(lambda f, _: LiquidS4(f), "liquid structural state space"),
    "cnn": CoreRow(lambda f, _: FeedForward(f, cnn.HIDDEN), "the NCP paper's network without memory", head=cnn.CNNHead),
    "pilotnet": CoreRow(
        lambda f, _: FeedForward(f, pilotnet.HIDDEN, pilotnet.ACTIVATION),
        "NVIDIA's network without memory",
        head=pilotnet.PilotNetHead,
    ),
}
