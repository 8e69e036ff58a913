"""When a curve reaches a goal, and how often a method is among the fastest to do so."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence


def mean_and_error(flows: Sequence[Sequence[float]]) -> tuple[float, float | None]:
    """Mean and standard error of values that are clustered by flow.

    With y_f the mean of the values of flow f and F flows, the mean is that of the y_f and the error
    ``sd(y_f) / sqrt(F)``, as in `wowbench.results.summary.summarise`.

    Parameters
    ----------
    flows : sequence of sequences of float
        The values of each flow.

    Returns
    -------
    mean : float
    error : float or None
        None for a single flow.
    """
    import numpy as np

    means = [float(np.mean(values)) for values in flows]
    error = float(np.std(means, ddof=1) / math.sqrt(len(means))) if len(means) > 1 else None
    return float(np.mean(means)), error


def first_reached(count: int, reached: Callable[[int], bool], *, bisect: bool) -> int | None:
    """Find the first of `count` points at which a goal is reached.

    Parameters
    ----------
    count : int
        Number of points, at least 1.
    reached : callable
        ``reached(i)``, whether point i is as good as the goal.
    bisect : bool
        Whether a goal that is reached stays so, as far as this asks: then the last point is asked
        first, and few others.

    Returns
    -------
    int or None
        None where it is not reached.
    """
    if not bisect:
        return next((i for i in range(count) if reached(i)), None)
    if not reached(count - 1):
        return None
    return bisect_left(range(count - 1), True, key=reached)


def performance_profile(
    times: Mapping[str, Sequence[float | None]], ratios: Sequence[float]
) -> dict[str, list[float]]:
    r"""Share of the problems that each method solves within a ratio of the fastest one's time.

    .. math::

        \rho_s(\tau) = \frac{1}{|P|} \left|\left\{
            p \in P : t_{p,s} \le \tau \min_{s'} t_{p,s'} \right\}\right|

    Dolan and More (2002), Benchmarking optimization software with performance profiles.

    Parameters
    ----------
    times : mapping of str to sequence of float or None
        Seconds of each method s on each problem p, in one order; None where it does not solve it.
    ratios : sequence of float
        The ratios tau, at least 1.

    Returns
    -------
    dict of str to list of float
        Shares in [0, 1] by method, one for each ratio. No method solves a problem that none does.
    """
    problems = list(zip(*times.values(), strict=True))
    fastest = [min((t for t in row if t is not None), default=math.nan) for row in problems]

    def share(own: Sequence[float | None], ratio: float) -> float:
        within = (t is not None and t <= ratio * best for t, best in zip(own, fastest, strict=True))
        return sum(within) / len(problems)

    return {method: [share(own, ratio) for ratio in ratios] for method, own in times.items()}
