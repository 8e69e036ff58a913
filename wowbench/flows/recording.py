"""What a loop records on the way, and how that goes through a checkpoint."""

from collections.abc import Collection

import torch
from torch import Tensor

from wowbench.flows.checkpoint import Checkpoint


class Recording:
    """The state of one loop, its losses and its snapshots.

    Parameters
    ----------
    state : dict of str to Tensor
        All that changes from step to step, apart from the generator.
    generator : torch.Generator or None
        Source of randomness.
    steps : int
        Number of steps.
    snapshots : collection of int
        Numbers of steps after which tensors of the state are copied.
    keep : collection of str
        Which tensors.
    """

    def __init__(
        self,
        state: dict[str, Tensor],
        generator: torch.Generator | None,
        steps: int,
        snapshots: Collection[int],
        keep: Collection[str],
    ):
        self.state = state
        self.generator = generator
        self.steps = steps
        self.asked = frozenset(snapshots)
        self.keep = tuple(keep)
        self.losses: Tensor | None = None
        self.snapshots: dict[int, dict[str, Tensor]] = {}

    def record(self, done: int, loss: Tensor) -> None:
        """Keep the loss of the last of `done` steps."""
        if self.losses is None:
            self.losses = loss.new_empty(self.steps, *loss.shape)
        if loss.shape != self.losses.shape[1:]:
            shapes = tuple(loss.shape), tuple(self.losses.shape[1:])
            raise ValueError(f"the loss of step {done} has shape {shapes[0]}; expected {shapes[1]}")
        self.losses[done - 1].copy_(loss)

    def take_snapshot(self, done: int) -> None:
        """Copy what is to be kept, to the CPU, if `done` is a step to do so after."""
        if done in self.asked:
            self.snapshots[done] = {
                name: self.state[name].detach().to("cpu", copy=True) for name in self.keep
            }

    def save(self, checkpoint: Checkpoint, done: int, seconds: float) -> None:
        """Save everything after `done` steps."""
        tensors = {f"state.{name}": tensor for name, tensor in self.state.items()}
        for at, kept in self.snapshots.items():
            tensors |= {f"snapshot.{at}.{name}": tensor for name, tensor in kept.items()}
        tensors["losses"] = self.losses[:done]
        if self.generator is not None:
            tensors["generator"] = self.generator.get_state()
        checkpoint.save(tensors, done, seconds)

    def restore(self, checkpoint: Checkpoint | None) -> tuple[int, float]:
        """Return the steps done and seconds spent according to the checkpoint, else zeros."""
        loaded = checkpoint.load(self._check) if checkpoint is not None else None
        if loaded is None:
            return 0, 0.0
        tensors, done, seconds = loaded
        losses = tensors["losses"]
        device = next(iter(self.state.values())).device
        self.losses = losses.new_empty(self.steps, *losses.shape[1:], device=device)
        self.losses[:done] = losses
        if self.generator is not None:
            self.generator.set_state(tensors["generator"])
        for name, tensor in self.state.items():
            tensor.copy_(tensors[f"state.{name}"])
        for at in sorted(at for at in self.asked if at <= done):
            # Copies, since the last bits of a product vary with the place of a tensor in memory:
            # those that a file is read into lie anywhere.
            self.snapshots[at] = {
                name: tensors[f"snapshot.{at}.{name}"].clone() for name in self.keep
            }
        return done, seconds

    def _check(self, tensors: dict[str, Tensor], done: int) -> None:
        """Raise a `ValueError` unless these are what `save` saves after `done` steps."""
        if not 1 <= done <= self.steps:
            raise ValueError(f"it has {done} steps; expected 1 to {self.steps}")
        expected = {f"state.{name}": tensor for name, tensor in self.state.items()}
        for at in (at for at in self.asked if at <= done):
            expected |= {f"snapshot.{at}.{name}": self.state[name] for name in self.keep}
        if self.generator is not None:
            expected["generator"] = self.generator.get_state()
        names = {*expected, "losses"}
        if tensors.keys() != names:
            missing, extra = sorted(names - tensors.keys()), sorted(tensors.keys() - names)
            raise ValueError(f"it lacks {missing} and has {extra} that are not expected")
        for name, like in expected.items():
            _check_like(name, tensors[name], like.dtype, tuple(like.shape))
        losses = tensors["losses"]
        if not losses.is_floating_point():
            raise ValueError(f"losses is {losses.dtype}; expected floating point")
        _check_like("losses", losses, losses.dtype, (done, *losses.shape[1:]))


def _check_like(name: str, tensor: Tensor, dtype: torch.dtype, shape: tuple[int, ...]) -> None:
    if tensor.dtype != dtype or tuple(tensor.shape) != shape:
        raise ValueError(
            f"{name} is {tensor.dtype} {tuple(tensor.shape)}; expected {dtype} {shape}"
        )
