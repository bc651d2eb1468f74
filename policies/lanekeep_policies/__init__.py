"""The drivers: conv heads, wirings, recurrent cores, checkpoints, lesions, and the privileged expert.

This is the one door: what the program around them uses of the drivers, it imports from here.
"""

from lanekeep_policies.arrays import array_of, tensor_of
from lanekeep_policies.checkpoint import (
    DRIVER,
    CheckpointError,
    load_driver,
    read_checkpoint,
    read_tensors,
    save_driver,
)
from lanekeep_policies.cores import CORES, Core, CoreRow
from lanekeep_policies.cores.ltc import LTC
from lanekeep_policies.driver import Driver
from lanekeep_policies.expert import Expert
from lanekeep_policies.heads.convolutional import ConvolutionalHead, standardise
from lanekeep_policies.heads.ncp_conv import ConvHead
from lanekeep_policies.lesions import Clamped, Lesions, lesioned
from lanekeep_policies.spec import DriverSpec
from lanekeep_policies.wiring import Wiring, ncp_wiring
