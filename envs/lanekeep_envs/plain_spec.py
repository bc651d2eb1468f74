"""What gymnasium keeps of how an environment was made, in words of JSON: `env.spec.to_json()` and back."""

import dataclasses
from copy import copy
from enum import Enum
from typing import Any

import msgspec
from gymnasium.envs.registration import EnvSpec

from lanekeep_envs.renderer.camera import Camera
from lanekeep_envs.scenario.schema import Scenario


class PlainSpec:
    """A `spec` whose arguments are numbers, words and tables, which the environment takes as it takes the objects."""

    _spec: EnvSpec | None = None

    @property
    def spec(self) -> EnvSpec | None:
        """The id and the arguments from which `gymnasium.make` made this; None if it was made otherwise."""
        return self._spec

    @spec.setter
    def spec(self, spec: EnvSpec | None) -> None:
        if spec is not None:
            spec = copy(spec)
            spec.kwargs = {name: _plain(value) for name, value in spec.kwargs.items()}
        self._spec = spec


def _plain(value: Any) -> Any:
    if isinstance(value, Camera):
        return dataclasses.asdict(value)
    if isinstance(value, Scenario):
        return msgspec.to_builtins(value)
    return value.value if isinstance(value, Enum) else value
