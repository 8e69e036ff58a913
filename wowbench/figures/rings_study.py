"""What a parameter of a method does on rings, as curves over its values."""

from __future__ import annotations

from typing import ClassVar

from wowbench.figures.parameter_study import ParameterStudy
from wowbench.results.tables.rings_study import RingsStudy as StudyTable


class RingsStudy(ParameterStudy):
    """WoW distance to the rings at the end against the value of one parameter.

    One panel per parameter that varies alone, all others being those of the reference, the first
    method of its algorithm in an experiment, whose value is the dotted line. The mean over flows,
    with its standard error: sd(flows) / sqrt(flows). Distances are on a logarithmic scale; those
    below 0.001 are drawn there.
    """

    table: ClassVar[type[StudyTable]] = StudyTable
    yscale: ClassVar[str] = "log"
    least: ClassVar[float] = 1e-3
