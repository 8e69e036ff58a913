"""What every distance keeps to."""

from __future__ import annotations

from functools import partial

from wowbench.contract import descriptions
from wowbench.contract.checks import Check
from wowbench.distances.base import Distance

DESCRIPTIONS = (
    descriptions.has_a_summary,
    descriptions.cites_its_source,
    descriptions.documents_its_parameters,
    descriptions.keeps_its_parameters_through_json,
    descriptions.imports_no_torch,
)


def distance_checks(distance: Distance) -> list[Check]:
    """List all checks of a distance, on datasets of few random points."""
    return [Check.of(check, partial(check, distance)) for check in DESCRIPTIONS]
