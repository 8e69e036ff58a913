"""Which cell of one run stands beside which of another."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence

from wowbench.results.cell_values import NAME, Cell
from wowbench.settings import spoken, spoken_name

Pair = tuple[Cell | None, Cell | None]

EXPERIMENT, METHOD = NAME.index("experiment"), NAME.index("method")


def matched(a: Sequence[Cell], b: Sequence[Cell]) -> list[Pair]:
    """Pair the cells of two runs.

    Cells of equal names and parameters belong together; of what is left, cells whose experiments
    or methods have other labels, if they agree in all else and no third does; and last, cells of
    one label, or of one algorithm, with the fewest parameters that differ.

    Parameters
    ----------
    a, b : sequence of Cell
        No two cells of one run agree in name and parameters.

    Returns
    -------
    list of (Cell or None, Cell or None)
        In the order of `a`, then what is in `b` alone.
    """
    left, right = list(a), list(b)
    partner: dict[int, Cell] = {}
    for key in (_whole, _unlabelled):
        ours, theirs = _grouped(left, key), _grouped(right, key)
        for value, (cell, *others) in ours.items():
            if not others and len(theirs.get(value, ())) == 1:
                partner[id(cell)] = theirs[value][0]
        taken = {id(cell) for cell in partner.values()}
        left = [cell for cell in left if id(cell) not in partner]
        right = [cell for cell in right if id(cell) not in taken]
    for key in (_name, _algorithm):
        theirs = _grouped(right, key)
        for cell in left:
            candidates = theirs.get(key(cell), []) if id(cell) not in partner else []
            if candidates:
                closest = min(candidates, key=lambda other: len(differing(cell, other)))
                candidates.remove(closest)
                partner[id(cell)] = closest
        taken = {id(cell) for cell in partner.values()}
        right = [cell for cell in right if id(cell) not in taken]
    return [*((cell, partner.get(id(cell))) for cell in a), *((None, cell) for cell in right)]


def differing(a: Cell, b: Cell) -> list[str]:
    """Say in which parameters two cells differ: "steps 1500 against 5000"."""
    return [
        f"{spoken_name(name)} {spoken(a.settings.get(name, ''))} against "
        f"{spoken(b.settings.get(name, ''))}"
        for name in dict.fromkeys([*a.settings, *b.settings])
        if a.settings.get(name) != b.settings.get(name)
    ]


def _grouped(cells: Iterable[Cell], key: Callable[[Cell], Hashable]) -> dict[Hashable, list[Cell]]:
    groups: dict[Hashable, list[Cell]] = {}
    for cell in cells:
        groups.setdefault(key(cell), []).append(cell)
    return groups


def _name(cell: Cell) -> Hashable:
    return cell.name


def _whole(cell: Cell) -> Hashable:
    return cell.name, frozenset(cell.settings.items())


def _unlabelled(cell: Cell) -> Hashable:
    return _algorithm(cell), frozenset(cell.settings.items())


def _algorithm(cell: Cell) -> Hashable:
    named = (value for i, value in enumerate(cell.name) if i not in (EXPERIMENT, METHOD))
    return cell.algorithm or cell.name[METHOD], *named
