"""What a method is: parameters, and the way from a problem to a trajectory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import model_validator

from wowbench.errors import InputError
from wowbench.methods.problem import Pairing
from wowbench.names import Slug
from wowbench.parameters import FromRegistry, Parameters, check_id
from wowbench.registry import METHODS

if TYPE_CHECKING:
    from wowbench.methods.problem import Problem, RunContext
    from wowbench.methods.trajectory import Trajectory


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
    pairings : frozenset of {"free", "by_number"}
        The problems that it solves: see `wowbench.methods.problem.Problem`.
    unpaired : str
        Why not the others.
    label_rule : str
        How the moved particles get their labels, in a few words.
    whole_target : bool
        Whether its outcome is the target itself, whatever the source.
    target_alone : bool
        Whether its outcome has no particles, so that the target stands alone.
    deterministic : bool
        Whether its outcome is the same for every seed.
    concurrent : bool
        Whether flows of it may run at the same time, in threads of one process: not where they
        change what belongs to the process.
    metrics : tuple of str
        Names of the metrics that its outcome may have.
    published_as : str or None
        Registered name of the method whose published results it is to reach by other settings, and
        which stand beside its own; by default those of its own name.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    pairings: ClassVar[frozenset[Pairing]]
    unpaired: ClassVar[str] = "it was not made for it"
    label_rule: ClassVar[str]
    whole_target: ClassVar[bool] = False
    target_alone: ClassVar[bool] = False
    deterministic: ClassVar[bool] = False
    concurrent: ClassVar[bool] = True
    metrics: ClassVar[tuple[str, ...]] = ()
    published_as: ClassVar[str | None] = None

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

    def require_pairing(self, pairing: Pairing, poser: str) -> None:
        """Refuse problems that this method does not solve.

        Parameters
        ----------
        pairing : {"free", "by_number"}
            How they pair classes.
        poser : str
            What poses them.

        Raises
        ------
        InputError
            With the reason.
        """
        if pairing not in self.pairings:
            raise InputError(f"method {self.name!r} does not support {poser}: {self.unpaired}")

    def check_sizes(
        self,
        *,
        source_classes: int,
        n: int,
        target_classes: int,
        k: int,
        shape: tuple[int, ...],
    ) -> None:
        """Refuse problems that `run` could not finish, before its first step.

        It is called when a run is planned, where the config tells all sizes, and again on the
        problem itself.

        Parameters
        ----------
        source_classes, n : int
            Number C of source classes, and of particles of each.
        target_classes, k : int
            Number C' of target classes, and of particles of each.
        shape : tuple of int
            Shape of one particle, for an image (channels, height, width).

        Raises
        ------
        InputError
            In one line that names the method; by default nothing is refused.
        """

    def run(self, problem: Problem, context: RunContext) -> Trajectory:
        """Solve `problem`.

        Raises
        ------
        DivergedError
            If a value is no longer finite.
        """
        raise NotImplementedError


MethodEntry = Annotated[Method, FromRegistry(METHODS)]
