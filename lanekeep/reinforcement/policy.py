"""A driver as the policy of sb3-contrib's RecurrentPPO: any core, one core call per minibatch.

    features = head(frame)      state, output = core(features, state)      action ~ N(readout(output), std^2)
    value = critic(features)    a small network of its own; it reads the driver's features and adds nothing to the driver

The actor is the driver and nothing else: its head, core and read-out are the very modules of a `Driver`, so that what was
learned is an ordinary checkpoint.  RecurrentPPO keeps two recurrent states of equal shape: the first is the driver's flat
state, the second stays zero.

Stock `_process_sequence` steps through time one frame at a time whenever any sequence of a minibatch begins an episode;
RecurrentPPO cuts its sequences there, so the core runs once over whole sequences (sb3-contrib issue 113).

Truncated backpropagation: the state is detached every `bptt` frames.  Burn-in (after Kapturowski et al., R2D2, ICLR 2019):
the first `burn_in` frames of a sequence that goes on from a stored state, which is as old as the last rollout, bring it up
to date without a gradient to the core; unlike there, read-out and critic learn from them too.
"""

import copy
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from gymnasium import spaces
from sb3_contrib.common.recurrent.policies import RecurrentActorCriticPolicy
from sb3_contrib.common.recurrent.type_aliases import RNNStates
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from torch import Tensor, nn

from lanekeep_policies import Driver, DriverSpec

CRITIC_WIDTH = 64


class DriverCore(nn.Module):
    """A core behind the interface of `nn.LSTM` that RecurrentPPO reads: sizes, and time before batch."""

    num_layers = 1

    def __init__(self, core: Any, dt_s: float, bptt: int, burn_in: int) -> None:
        super().__init__()
        self.core, self.dt_s = core, dt_s
        self.bptt, self.burn_in = bptt, burn_in  # [frames] (PolicySettings)
        self.input_size, self.hidden_size = core.input_size, core.state_size

    def forward(self, features: Tensor, states: tuple[Tensor, Tensor]) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Features [T, N, F] and states [1, N, S] to outputs [T, N, O] and states; the second state passes through."""
        outputs, state = self.core(features.transpose(0, 1), states[0][0], self.dt_s)
        return outputs.transpose(0, 1), (state[None], states[1])


class Seen(BaseFeaturesExtractor):
    """Features of an observation: the driver's head for frames, channels first as stable-baselines3 has them."""

    def __init__(self, observation_space: spaces.Box, head: nn.Module, features: int) -> None:
        super().__init__(observation_space, features)
        self.head = head

    def forward(self, observations: Tensor) -> Tensor:
        """Frames [N, 3, H, W], or vectors [N, D], to features [N, F]."""
        if observations.ndim != 4:
            features: Tensor = self.head(observations)
            return features
        frames = observations.to(torch.uint8).permute(0, 2, 3, 1).contiguous()
        black = frames.flatten(1).amax(1) == 0
        if not black.any():
            features = self.head(frames)
            return features
        # what pads the sequences of a minibatch is black: it is looked at once, and so is night without a light
        seen: Tensor = self.head(torch.cat([frames[~black], torch.zeros_like(frames[:1])]))
        where = torch.where(black, len(seen) - 1, torch.cumsum(~black, 0) - 1)
        return seen[where]


class Critic(nn.Module):
    """The value's hidden layer; it leaves the driver's head alone unless it is to shape it."""

    def __init__(self, features: int, outputs: int, shapes_head: bool) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(features, CRITIC_WIDTH), nn.Tanh(), nn.Linear(CRITIC_WIDTH, outputs))
        self.shapes_head, self.waiting = shapes_head, False

    def forward(self, features: Tensor) -> Tensor:
        """Features [N, F] to what the value is read from."""
        value: Tensor = self.layers(features if self.shapes_head and not self.waiting else features.detach())
        return value


class AdamWithRates(torch.optim.Adam):
    """Adam whose groups have a `rate` each, by which the one learning rate that the algorithm sets is multiplied."""

    def step(self, closure: Any = None) -> Any:
        """See torch."""
        before = [group["lr"] for group in self.param_groups]
        for group in self.param_groups:
            group["lr"] *= group["rate"]
        loss = super().step(closure)
        for group, rate in zip(self.param_groups, before, strict=True):
            group["lr"] = rate
        return loss


@dataclass(frozen=True)
class PolicySettings:
    """How a policy learns; the gradients, the regulariser and the learning rates of its parts."""

    seed: int = 0  # of the weights that it begins with
    bptt: int = 0  # frames that a gradient goes back; 0: as long as the sequence
    burn_in: int = 0  # first frames of a sequence that only bring its state up to date
    entropy: float = 0.0  # weight of the entropy of the actions
    anchor: float = 0.0  # weight of the Kullback-Leibler divergence from the driver that it began as
    core_rate: float = 1.0  # learning rate of core and read-out, in that of the head
    critic_rate: float = 1.0  # learning rate of the critic, in that of the head


class DriverPolicy(RecurrentActorCriticPolicy):
    """Actor: a driver; critic: a small network on its features.

    `weights` are those of a driver to start from.  RecurrentPPO gets the entropy and the divergence, both weighted, as its
    entropy, whose own coefficient must be 1.  While its critic is `waiting`, only that learns.
    """

    lstm_actor: Any
    critic: Any
    action_net: Any
    features_extractor: Any

    def __init__(
        self,
        observation_space: spaces.Box,
        action_space: spaces.Box,
        lr_schedule: Any,
        spec: DriverSpec,
        settings: PolicySettings = PolicySettings(),
        log_std_init: float = -1.0,
        critic_shapes_head: bool = True,
        weights: dict[str, Tensor] | None = None,
        **kwargs: Any,
    ) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            driver = Driver(spec)
            super().__init__(
                observation_space,
                action_space,
                lr_schedule,
                net_arch=[],
                ortho_init=False,
                log_std_init=log_std_init,
                features_extractor_class=Seen,
                features_extractor_kwargs={"head": driver.head, "features": driver.core.input_size},
                normalize_images=False,
                lstm_hidden_size=driver.core.output_size,
                enable_critic_lstm=False,
                **kwargs,
            )
            self.critic = Critic(driver.core.input_size, driver.core.output_size, critic_shapes_head)
        if weights is not None:
            driver.load_state_dict(weights)
        self.spec, self.settings = spec, settings
        self.given = {
            "spec": spec,
            "settings": settings,
            "log_std_init": log_std_init,
            "critic_shapes_head": critic_shapes_head,
        }
        self.lstm_actor = DriverCore(driver.core, spec.dt_s, settings.bptt, settings.burn_in)
        self.action_net = driver.readout
        self.lstm_hidden_state_shape = (1, 1, driver.core.state_size)
        self.model: tuple[Any, ...] | None = None  # head, core and read-out of the driver that it began as
        self.optimizer = self._make_optimizer(lr_schedule(1))

    def _make_optimizer(self, rate: float) -> AdamWithRates:
        """Adam of the parameters that learn; that of `super()` holds some that were replaced."""
        of_core = [*self.lstm_actor.parameters(), *self.action_net.parameters()]
        of_critic = [*self.critic.parameters(), *self.value_net.parameters()]
        known = {id(parameter) for parameter in (*of_core, *of_critic)}
        of_head = [parameter for parameter in self.parameters() if id(parameter) not in known]
        rates = (1.0, self.settings.core_rate, self.settings.critic_rate)
        groups = [
            {"params": [p for p in parameters if p.requires_grad], "rate": rate}
            for parameters, rate in zip((of_head, of_core, of_critic), rates, strict=True)
        ]
        return AdamWithRates(groups, lr=rate, eps=1e-5)

    def driver(self) -> Driver:
        """The actor as a driver that shares its weights."""
        driver = Driver.build(self.spec, 0)
        driver.head, driver.core = self.features_extractor.head, self.lstm_actor.core
        driver.readout = self.action_net
        return driver

    def _get_constructor_parameters(self) -> dict[str, Any]:
        """What `save` keeps to make this policy again (upstream forgets what is recurrent)."""
        space = {"observation_space": self.observation_space, "action_space": self.action_space}
        return {**space, "lr_schedule": self._dummy_schedule, **self.given}

    @staticmethod
    def _process_sequence(  # type: ignore[override]
        features: Tensor, lstm_states: tuple[Tensor, Tensor], episode_starts: Tensor, lstm: Any
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Upstream's outputs and states, from one core call for as long as no episode begins and no gradient is cut."""
        rows = lstm_states[0].shape[1]
        sequence, starts = features.reshape(rows, -1, lstm.input_size), episode_starts.reshape(rows, -1) > 0.5
        frames, learning = sequence.shape[1], torch.is_grad_enabled() and sequence.shape[1] > 1
        begins = set((starts[:, 1:].any(0).nonzero()[:, 0] + 1).tolist())
        cuts = set(range(lstm.burn_in + lstm.bptt, frames, lstm.bptt)) if learning and lstm.bptt else set()
        burnt = {min(lstm.burn_in, frames)} if learning else set()
        stale = ~starts[:, :1]  # rows that go on from a state that was stored
        edges, state, outputs = sorted({0, frames} | begins | cuts | burnt), lstm_states[0][0], []
        for first, last in pairwise(edges):
            state = state.detach() if first in cuts else state
            state = torch.where(starts[:, first : first + 1], lstm.core.initial_state(rows), state)
            output, state = lstm.core(sequence[:, first:last], state, lstm.dt_s)
            if learning and last <= lstm.burn_in:
                output = torch.where(stale[:, :, None], output.detach(), output)
                state = torch.where(stale, state.detach(), state)
            outputs.append(output)
        return torch.cat(outputs, 1).flatten(0, 1), (state[None], lstm_states[1])

    def extract_features(  # type: ignore[override]
        self, obs: Tensor, features_extractor: BaseFeaturesExtractor | None = None
    ) -> Tensor:
        """Features [N, F]; frames stay bytes."""
        features: Tensor = self.features_extractor(obs)
        return features

    def evaluate_actions(  # type: ignore[override]
        self, obs: Tensor, actions: Tensor, lstm_states: RNNStates, episode_starts: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Values, log-probabilities, and the regulariser: entropy, and nearness to the driver this one began as."""
        features, state = self.extract_features(obs), (lstm_states.pi[0], lstm_states.pi[1])
        outputs, _ = self._process_sequence(features, state, episode_starts, self.lstm_actor)
        distribution: Any = self._get_action_dist_from_latent(outputs)
        log_prob: Tensor = distribution.log_prob(actions)
        regulariser: Tensor = self.settings.entropy * distribution.entropy()
        if self.model is not None:
            regulariser = regulariser - self.settings.anchor * self._away(obs, state, episode_starts, distribution)
        if self.critic.waiting:
            log_prob, regulariser = log_prob.detach(), regulariser.detach()
        return self.value_net(self.critic(features)), log_prob, regulariser

    def drop_anchor(self) -> None:
        """From now on keep near the driver as it is now."""
        if self.settings.anchor > 0.0:
            # in a tuple they are no part of this module, and neither trained nor saved
            parts = (self.features_extractor, self.lstm_actor, self.action_net)
            self.model = tuple(copy.deepcopy(part).requires_grad_(False).eval() for part in parts)

    def _away(self, obs: Tensor, states: tuple[Tensor, Tensor], starts: Tensor, distribution: Any) -> Tensor:
        """Divergence of the driver's action from that of the one it began as, with this one's memory and deviation [N]."""
        assert self.model is not None
        (head, core, readout), normal = self.model, distribution.distribution
        with torch.no_grad():
            means = readout(self._process_sequence(head(obs), states, starts, core)[0])
        off: Tensor = (normal.mean - means) / normal.stddev.detach()
        return 0.5 * (off * off).sum(-1)
