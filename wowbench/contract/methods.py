"""What every method keeps to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from wowbench.contract import descriptions, outcomes, resuming
from wowbench.contract.checks import Check
from wowbench.contract.problems import POSED, other_sizes, small_problem
from wowbench.errors import InputError
from wowbench.methods.base import Method
from wowbench.methods.problem import PAIRINGS, Pairing, Problem
from wowbench.parameters import FromRegistry
from wowbench.registry import METHODS

STEPS = 4
"""Steps that a method takes here, unless it is given others."""

DESCRIPTIONS = (
    descriptions.has_a_summary,
    descriptions.says_what_it_takes_part_in,
    descriptions.cites_its_source,
    descriptions.documents_its_parameters,
    descriptions.keeps_its_parameters_through_json,
    descriptions.names_metrics_of_its_own,
    descriptions.imports_no_torch,
)

ON_A_PROBLEM = (
    outcomes.gives_what_a_trajectory_is,
    outcomes.leaves_the_problem_as_it_was,
    outcomes.follows_from_the_seed,
    outcomes.leaves_the_global_random_state_alone,
    outcomes.keeps_the_snapshots_asked_for,
)

WITH_STEPS = (
    outcomes.reports_its_progress,
    outcomes.gives_the_same_beside_others,
    resuming.resumes_where_it_was_interrupted,
    resuming.takes_no_step_when_it_is_complete,
)


def brief_method(entry: str | Mapping) -> Method:
    """Build a method to try, which takes few steps.

    Parameters
    ----------
    entry : str or mapping
        As in a config: a registered name, or a mapping with it and parameters.

    Raises
    ------
    InputError
        As for a config.
    """
    builder = FromRegistry(METHODS)
    method = builder.build(entry)
    given = {"name": entry} if isinstance(entry, str) else entry
    if "steps" not in type(method).model_fields or "steps" in given:
        return method
    try:
        return builder.build({**given, "steps": STEPS})
    except InputError:  # It takes no fewer than some number of its own.
        return method


def method_checks(method: Method) -> list[Check]:
    """List all checks of a method.

    Parameters
    ----------
    method : Method
        What to check; it is run many times on small problems.

    Returns
    -------
    list of Check
    """
    checks = [Check.of(function, partial(function, method)) for function in DESCRIPTIONS]
    has_steps = "steps" in type(method).model_fields
    functions = ON_A_PROBLEM + (WITH_STEPS if has_steps else ())
    pairings = [pairing for pairing in PAIRINGS if pairing in method.pairings]
    for pairing in pairings:
        where = POSED[pairing]
        checks += [Check.of(f, partial(_try, f, method, pairing), where) for f in functions]
        for unusual in other_sizes(pairing):
            run = partial(_try, outcomes.takes_or_refuses, method, pairing, unusual)
            checks.append(Check(f"takes or refuses {unusual}, {where}", run))
    if has_steps and pairings:
        killed = resuming.resumes_after_being_killed
        checks.append(Check.of(killed, partial(killed, method, pairings[0])))
    return checks


def _try(
    function: Callable[[Method, Problem], None],
    method: Method,
    pairing: Pairing,
    unusual: str = "",
) -> None:
    function(method, small_problem(pairing, **other_sizes(pairing)[unusual] if unusual else {}))
