"""Checks of what a method or a dataset says of itself."""

from __future__ import annotations

import importlib
import inspect
import json
import re
import sys

from wowbench.contract.checks import require
from wowbench.contract.child import call_in_child
from wowbench.methods.base import Method
from wowbench.methods.problem import PAIRINGS
from wowbench.parameters import Parameters
from wowbench.registry import METHODS

JOB_METRICS = ("accuracy", "final_loss", "flow_seconds", "seconds_per_step", "steps")
"""Metrics that jobs record themselves."""

_NAME, _YEAR = r"\b[^\W\d_a-z][\w'-]+", r"(?:1[89]|20)\d\d[a-z]?\b"
REFERENCES = (
    r"\b10\.\d{4,9}/\S",
    r"(?i:arxiv)\W{0,2}(?:org/(?:abs|pdf)/)?(?:\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?/\d{7})",
    r"\bet al\b",
    rf"{_NAME},? \({_YEAR}",
    rf"[(\[][^()\[\]]*{_NAME},? {_YEAR}",
    rf"{_NAME}[^.]*, {_YEAR}",
)
"""How a docstring may say where a method comes from: DOI, arXiv number, authors with the year."""


def has_a_summary(entry: Parameters) -> None:
    """Require a summary of one line."""
    _require_one_line("summary", entry.summary)


def says_what_it_takes_part_in(method: Method) -> None:
    """Require a label rule in one line, problems that it solves, and known published results."""
    _require_one_line("label_rule", method.label_rule)
    require(
        isinstance(method.pairings, frozenset) and method.pairings,
        f"pairings is {method.pairings!r}; expected a frozenset of at least one pairing",
    )
    for pairing in method.pairings:
        known = ", ".join(PAIRINGS)
        require(pairing in PAIRINGS, f"there is no pairing {pairing!r}; expected among {known}")
    if method.published_as is not None:
        METHODS.get(method.published_as)


def cites_its_source(method: Method) -> None:
    """Require a reference in the docstring of its class."""
    doc = _own_docstring(type(method))
    require(
        any(re.search(reference, doc) for reference in REFERENCES),
        "its docstring has no reference; expected a DOI, an arXiv number, or authors and year, "
        "as 'Welling (2009)'",
    )


def documents_its_parameters(entry: Parameters) -> None:
    """Require that docstrings of the class or its bases have all its parameters, and no others."""
    require(_own_docstring(type(entry)), f"{type(entry).__qualname__} has no docstring")
    documented = set()
    for cls in type(entry).__mro__:
        if issubclass(cls, Parameters):
            names = _documented_parameters(cls)
            unknown = ", ".join(sorted(names - cls.model_fields.keys()))
            require(not unknown, f"{cls.__qualname__} documents {unknown}, and has no such field")
            documented |= names
    missing = ", ".join(name for name in type(entry).model_fields if name not in documented)
    require(
        not missing,
        f"{missing} is in no docstring; expected in the section Parameters of "
        f"{type(entry).__qualname__} or of the base that has it",
    )


def keeps_its_parameters_through_json(entry: Parameters) -> None:
    """Require that what is written into a job's spec gives the same method."""
    text = json.dumps(entry.model_dump(mode="json"), allow_nan=False)
    again = type(entry).parse(json.loads(text), entry.name)
    require(again == entry, f"{entry!r} comes back from JSON as {again!r}")
    type(entry).model_json_schema()


def names_metrics_of_its_own(method: Method) -> None:
    """Require names of its metrics that can stand among the scores, beside those of jobs."""
    require(isinstance(method.metrics, tuple), f"metrics is {method.metrics!r}; expected a tuple")
    for name in method.metrics:
        require_metric_name(name)
        require(name not in JOB_METRICS, f"the metric {name!r} is one that every flow has")


def require_metric_name(name: object) -> None:
    """Require a name in lower case."""
    fits = isinstance(name, str) and re.fullmatch("[a-z][a-z0-9_]*", name)
    require(fits, f"the metric {name!r} is no name in lower case")


def imports_no_torch(entry: Parameters) -> None:
    """Require that importing its module leaves torch out, so that listing names stays quick."""
    module = type(entry).__module__
    status, message = call_in_child(_import_without_torch, module)
    require(status == 0, f"importing {module} fails or imports torch: {message}")


def _import_without_torch(module: str) -> None:
    importlib.import_module(module)
    if "torch" in sys.modules:
        sys.exit("import torch inside functions")


def _documented_parameters(cls: type) -> set[str]:
    """Names in the section Parameters of the class's own docstring."""
    section = re.search(
        r"^Parameters\n-{3,}\n(.*?)(?=^\S[^\n]*\n-{3,}$|\Z)", _own_docstring(cls), re.M | re.S
    )
    if section is None:
        return set()
    heads = [line.partition(":")[0] for line in section[1].splitlines() if line[:1].strip()]
    return {name.strip() for head in heads for name in head.split(",")}


def _own_docstring(cls: type) -> str:
    return inspect.cleandoc(cls.__dict__.get("__doc__") or "")


def _require_one_line(name: str, text: object) -> None:
    one_line = isinstance(text, str) and text.strip() and "\n" not in text
    require(one_line, f"{name} is {text!r}; expected one line of text")
