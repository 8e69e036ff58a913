"""What every distance keeps to."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from wowbench.contract import descriptions
from wowbench.contract.checks import Check, require
from wowbench.distances.base import Distance, Estimate
from wowbench.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

RELATIVE = 1e-5
"""Rounding, and what iterations may leave, relative to the spread of the points."""

REPEATS, FEW, MANY = 60, 16, 144
"""Runs with other seeds, and directions of each: with nine times as many, a third of the error."""

CASES = (
    ("classes of unlike sizes", (5, 8, 6), (7, 5, 9)),
    ("unlike numbers of classes", (5, 5, 5), (6, 6)),
    ("one class", (4,), (5, 6, 7)),
    ("one point in a class", (5, 1, 4), (3, 4, 5)),
)

DESCRIPTIONS = (
    descriptions.has_a_summary,
    descriptions.cites_its_source,
    descriptions.documents_its_parameters,
    descriptions.keeps_its_parameters_through_json,
    descriptions.imports_no_torch,
)


def is_0_between_a_dataset_and_itself(distance: Distance) -> None:
    """Require so within rounding, or a bias that says why not and shows."""
    a, _ = _datasets(distance)
    for other, where in ((a, "itself"), (_reordered(a), "itself in another order")):
        estimate = _measure(distance, a, other)
        is_zero = abs(estimate.value) <= RELATIVE * _spread(a)
        if distance.bias:
            require(not is_zero, f"it names a bias, and is {estimate.value:g} to {where}")
        else:
            require(is_zero, f"a dataset is at {estimate.value:g} from {where}; expected 0")


def is_symmetric(distance: Distance) -> None:
    """Require the same of both orders, for the same directions."""
    a, b = _datasets(distance)
    _require_equal(distance, (a, b), (b, a), "with its arguments exchanged")


def ignores_the_order_of_points_and_classes(distance: Distance) -> None:
    """Require the same whatever the order of points in a class, and of classes."""
    a, b = _datasets(distance)
    _require_equal(distance, (a, b), (_reordered(a), b), "with points and classes in other order")


def tells_datasets_apart(distance: Distance) -> None:
    """Require a value above 0, beyond its error, between datasets that are far apart."""
    a, b = _datasets(distance)
    estimate = _measure(distance, a, [3 + x for x in b])
    require(
        estimate.value > max(RELATIVE * _spread(a), 4 * (estimate.error or 0)),
        f"between datasets that are far apart it is {estimate.value:g}",
    )


def takes_or_refuses_unlike_sizes(distance: Distance) -> None:
    """Require a number, or one line before anything is computed."""
    for title, sizes_a, sizes_b in CASES:
        a, b = _datasets(distance, sizes_a, sizes_b)
        shape = a[0].shape[1:]
        try:
            distance.check(sizes_a, sizes_b, shape, shape)
        except InputError as refusal:
            require("\n" not in str(refusal), f"{title}: its refusal has several lines")
            continue
        estimate = _measure(distance, a, b)
        require(abs(estimate.value) < float("inf"), f"{title}: it is {estimate.value}")


def refuses_unlike_features(distance: Distance) -> None:
    """Require that points of unlike shapes are refused, before anything is computed."""
    d = _dimension(distance)
    try:
        distance.check((4, 4), (4, 4), (d,), (d + 1,))
    except InputError:
        return
    require(False, f"it takes points of {d} and of {d + 1} features")


def takes_constant_features(distance: Distance) -> None:
    """Require numbers where points do not differ: 0 between equal ones, if there is no bias."""
    import torch

    d = _dimension(distance)
    same, other = ([torch.full((4, d), value)] * 3 for value in (0.5, 1.0))
    values = [_measure(distance, same, b).value for b in (same, other)]
    for value in values:
        require(abs(value) < float("inf"), f"between points that do not differ it is {value}")
    zero = distance.bias or abs(values[0]) <= RELATIVE
    require(zero, f"between equal points it is {values[0]:g}; expected 0")


def leaves_its_input_alone(distance: Distance) -> None:
    """Require points that are what they were."""
    a, b = _datasets(distance)
    before = [x.clone() for x in (*a, *b)]
    _measure(distance, a, b)
    same = all((x == y).all() for x, y in zip(before, (*a, *b), strict=True))
    require(same, "it changes points in place")


def follows_from_the_generator(distance: Distance) -> None:
    """Require the same of the same seed, whatever the global random state is, and leave it."""
    import torch

    a, b = _datasets(distance)
    with torch.random.fork_rng(devices=[]):
        found = []
        for seed in (0, 1):
            torch.default_generator.manual_seed(seed)
            before = torch.get_rng_state()
            found.append(_measure(distance, a, b))
            same = bool((torch.get_rng_state() == before).all())
            require(same, "it changes the global random state of torch")
    require(found[0] == found[1], "two runs of one seed give other values")


def reports_its_error(distance: Distance) -> None:
    """Require an error that is that of runs with other seeds, and falls with 1 / sqrt(L)."""
    a, b = _datasets(distance)
    if not distance.stochastic:
        first, second = (_measure(distance, a, b, seed) for seed in (0, 1))
        require(first.error is None, f"its error is {first.error!r}; expected None, it draws none")
        require(first == second, "it draws none, and other seeds give other values")
        return
    has_count = "n_directions" in type(distance).model_fields
    require(has_count, "it is stochastic and has no field n_directions")
    reported, actual = [], []
    for n in (FEW, MANY):
        counted = distance.model_copy(update={"n_directions": n})
        runs = [_measure(counted, a, b, seed) for seed in range(REPEATS)]
        good = all(isinstance(run.error, float) and run.error >= 0 for run in runs)
        require(good, f"its error is {runs[0].error!r}; expected a number of at least 0")
        mean = sum(run.value for run in runs) / REPEATS
        actual.append((sum((run.value - mean) ** 2 for run in runs) / (REPEATS - 1)) ** 0.5)
        reported.append((sum(run.error**2 for run in runs) / REPEATS) ** 0.5)
        # The deviation of 60 runs is off by a tenth, one standard error.
        require(
            actual[-1] / 1.6 <= reported[-1] <= actual[-1] * 1.6,
            f"with {n} directions its error is {reported[-1]:g}, and that of runs with other "
            f"seeds {actual[-1]:g}",
        )
    expected = (MANY / FEW) ** 0.5
    require(
        expected / 1.6 <= actual[0] / actual[1] <= expected * 1.6,
        f"with {MANY / FEW:g} times as many directions its error falls by {actual[0] / actual[1]:g}"
        f"; expected {expected:g}",
    )


ON_DATASETS = (
    is_0_between_a_dataset_and_itself,
    is_symmetric,
    ignores_the_order_of_points_and_classes,
    tells_datasets_apart,
    takes_or_refuses_unlike_sizes,
    refuses_unlike_features,
    takes_constant_features,
    leaves_its_input_alone,
    follows_from_the_generator,
    reports_its_error,
)


def distance_checks(distance: Distance) -> list[Check]:
    """List all checks of a distance, on datasets of few random points.

    Parameters
    ----------
    distance : Distance
        What to check, with its parameters.

    Returns
    -------
    list of Check
    """
    return [Check.of(check, partial(check, distance)) for check in (*DESCRIPTIONS, *ON_DATASETS)]


def _dimension(distance: Distance) -> int:
    return max(4, distance.minimum_dimension)


def _datasets(
    distance: Distance, sizes_a: tuple = (8, 6, 7), sizes_b: tuple = (6, 9, 5)
) -> list[list[Tensor]]:
    """Two datasets of Gaussian classes with means of their own, in float32."""
    import torch

    generator = torch.Generator().manual_seed(0)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator)

    d = _dimension(distance)
    return [[normal(n, d) + normal(d) for n in sizes] for sizes in (sizes_a, sizes_b)]


def _reordered(classes: list[Tensor]) -> list[Tensor]:
    return [points.flip(0).roll(2, 0) for points in (*classes[1:], classes[0])]


def _spread(classes: list[Tensor]) -> float:
    import torch

    return float(torch.cat(classes).var(0).sum())


def _measure(distance: Distance, a: list[Tensor], b: list[Tensor], seed: int = 0) -> Estimate:
    import torch

    return distance.measure(a, b, torch.Generator().manual_seed(seed))


def _require_equal(distance: Distance, first: tuple, second: tuple, how: str) -> None:
    values = [_measure(distance, *pair).value for pair in (first, second)]
    require(
        abs(values[0] - values[1]) <= RELATIVE * abs(values[0]),
        f"it is {values[0]:.9g}, and {how} {values[1]:.9g}",
    )
