"""What a parameter of a method does on rings."""

from __future__ import annotations

from typing import ClassVar

from wowbench.results.tables.parameter_study import ParameterStudy


class RingsStudy(ParameterStudy):
    """WoW distance to the rings at the end, by the value of one parameter.

    The reference of an algorithm is the first of its methods in an experiment, and has a row among
    the values of each parameter; all other parameters are those of the reference. A kernel or a
    scheme of another name counts as one parameter, with all of its own.

    The distance is exact and that of the last particles, the mean over flows. "s.e." is its
    standard error: sd(flows) / sqrt(flows). "Minus reference" is the mean over draws of the
    difference to the reference on the same draw, with Student's 95 % confidence interval over
    draws: mean ± t sd(differences) / sqrt(draws).
    """

    metric: ClassVar[str] = "wow_distance"
    quantity: ClassVar[str] = "WoW distance"
    scale: ClassVar[float] = 1.0
    form: ClassVar[str] = ".4f"
