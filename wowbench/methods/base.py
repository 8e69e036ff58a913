"""What a method is: parameters in, a problem to solve, moved and labelled images out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import model_validator

from wowbench.errors import InputError
from wowbench.names import Slug
from wowbench.parameters import Parameters, check_id
from wowbench.registry import METHODS

if TYPE_CHECKING:
    from torch import Tensor

    from wowbench.flows import Checkpoint


@dataclass(frozen=True)
class Problem:
    """A source dataset to be moved onto a target dataset.

    Attributes
    ----------
    source : Tensor, shape (C, n, *image_shape)
        Source images by class, float32, on the device to compute on.
    target : Tensor, shape (C', k, *image_shape)
        Target images by class.
    standardised : bool
        Whether each channel of the target's training images has mean 0 and standard deviation 1;
        otherwise all images are in [0, 1], and moved ones are to be clipped to it.
    same_classes : bool
        Whether class c of the source starts as images of class c of the target, which the moved
        images are to stand for.
    batch_size : int or None
        Target images of each class that a step draws anew; None for all of them.
    """

    source: Tensor
    target: Tensor
    standardised: bool = False
    same_classes: bool = False
    batch_size: int | None = None

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Shape of one image: (channels, height, width)."""
        return tuple(self.source.shape[2:])

    @property
    def sizes(self) -> dict[str, Any]:
        """Arguments of `Method.check_sizes`."""
        (classes, n), (target_classes, k) = self.source.shape[:2], self.target.shape[:2]
        return {
            "source_classes": classes,
            "n": n,
            "target_classes": target_classes,
            "k": k,
            "image_shape": self.image_shape,
        }


@dataclass(frozen=True)
class RunContext:
    """What the surroundings give a method beside its problem.

    Attributes
    ----------
    seed : int
        Seed of everything random in this run.
    checkpoint : Checkpoint or None
        Where a method that takes steps saves itself now and then, and after its last step, and
        goes on from, as `wowbench.flows.iterate` does. No method removes it: whoever gave it
        does, once the outcome is written, so that nothing that fails after the last step repeats
        the steps.
    progress : callable or None
        Called with (steps done, loss of the last one) now and then, and after the last step.
    snapshots : tuple of int
        Numbers of steps after which the images are kept: see `snapshots_before`.
    """

    seed: int
    checkpoint: Checkpoint | None = None
    progress: Callable[[int, float], None] | None = None
    snapshots: tuple[int, ...] = ()

    def snapshots_before(self, steps: int) -> tuple[int, ...]:
        """Snapshots asked for of a method that takes `steps` steps: those before the last one."""
        return tuple(step for step in self.snapshots if step < steps)


@dataclass(frozen=True)
class Snapshot:
    """Images as they were on the way.

    Attributes
    ----------
    images : Tensor, shape (N, *image_shape)
        The images.
    labels : Tensor, shape (N,)
        Their target classes as of then, int64.
    """

    images: Tensor
    labels: Tensor


@dataclass(frozen=True)
class Outcome:
    """What a method gives back.

    Attributes
    ----------
    images : Tensor, shape (N, *image_shape)
        Images to train on beside the target's; N may be 0.
    labels : Tensor, shape (N,)
        Their target classes, int64.
    losses : Tensor, shape (steps,)
        Loss before each step; empty for a method that has no parameter `steps`.
    seconds : float
        Wall time of the steps alone.
    training_samples : int
        Number of samples whose passes count as an epoch of training; sets the number of
        optimiser steps of the evaluation.
    metrics : dict of str to float
        Anything else worth a row in the scores, under the names in `Method.metrics`.
    snapshots : dict of int to Snapshot
        Images on the way, by the number of steps done: as many as were asked for before the last.
    """

    images: Tensor
    labels: Tensor
    losses: Tensor
    seconds: float
    training_samples: int
    metrics: dict[str, float] = field(default_factory=dict)
    snapshots: dict[int, Snapshot] = field(default_factory=dict)


class Method(Parameters):
    """Base of all methods: one subclass per file, its typed fields are its parameters.

    Parameters
    ----------
    id : str, optional
        Name in paths and results, where a config has a method twice.

    Attributes
    ----------
    name : str
        Name in configs and results.
    summary : str
        One line for ``wowbench list methods``.
    tasks : frozenset of str
        Tasks it takes part in.
    unsupported : dict of str to str
        For a task it does not take part in, the reason.
    label_rule : str
        How the moved images get their labels, in a few words.
    whole_target : bool
        Whether its outcome is the target itself, whatever the source.
    deterministic : bool
        Whether its outcome is the same for every seed.
    metrics : tuple of str
        Names of the metrics that its outcome may have.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    tasks: ClassVar[frozenset[str]]
    unsupported: ClassVar[dict[str, str]] = {}
    label_rule: ClassVar[str]
    whole_target: ClassVar[bool] = False
    deterministic: ClassVar[bool] = False
    metrics: ClassVar[tuple[str, ...]] = ()

    id: Slug | None = None

    @model_validator(mode="after")
    def _check_id(self) -> Method:
        check_id(self.id, self.name, METHODS)
        return self

    @property
    def label(self) -> str:
        """Name in paths and results: `id` where given, else the registered name."""
        return self.id or self.name

    @classmethod
    def published_settings(cls, task: str, k: int) -> dict[str, Any]:
        """Parameters of the published experiment; a run with others is no reproduction of it.

        Parameters
        ----------
        task : str
            Registered name of the task.
        k : int
            Images per class: known ones of the target, or synthetic ones.

        Returns
        -------
        dict of str to Any
            By field; by default the defaults of all fields. One that is left out may have any
            value, as it selects a published row or is a documented difference.
        """
        return cls.defaults({"id"})

    def require_task(self, task: str) -> None:
        """Refuse a task that this method does not support.

        Raises
        ------
        InputError
            With the reason and the tasks that it does support.
        """
        if task not in self.tasks:
            reason = self.unsupported.get(task, "it was not made for it")
            raise InputError(
                f"method {self.name!r} does not support the task {task!r}: {reason}; "
                f"it supports {', '.join(sorted(self.tasks))}"
            )

    def check_sizes(
        self,
        *,
        source_classes: int,
        n: int,
        target_classes: int,
        k: int,
        image_shape: tuple[int, int, int],
    ) -> None:
        """Refuse problems that `run` could not finish, before its first step.

        It is called when a run is planned, where the config tells all sizes, and again on the
        problem itself.

        Parameters
        ----------
        source_classes, n : int
            Number C of source classes, and of images of each.
        target_classes, k : int
            Number C' of target classes, and of images of each.
        image_shape : tuple of int
            Channels, height and width.

        Raises
        ------
        InputError
            In one line that names the method; by default nothing is refused.
        """

    def run(self, problem: Problem, context: RunContext) -> Outcome:
        """Solve `problem`.

        Raises
        ------
        DivergedError
            If a value is no longer finite.
        """
        raise NotImplementedError
