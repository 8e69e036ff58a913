"""What is read from source files without importing them: digests, and docstrings.

Snakemake does not see an edit to an imported package; digests of the source files that a job's
result depends on stand among a rule's parameters, so that an edit reruns the jobs that depend on it
and no others.
"""

import ast
import hashlib
import importlib.util
from functools import cache
from pathlib import Path


def source_digest(*modules: str) -> str:
    """Digest of the given modules and of all they import from their own top-level packages.

    Imports inside functions count, since plug-ins import torch and the numerical modules there.

    Parameters
    ----------
    *modules : str
        Dotted module names.

    Returns
    -------
    str
        16 hexadecimal digits.
    """
    closure: set[str] = set()
    pending = list(modules)
    while pending:
        module = pending.pop()
        if module not in closure:
            closure.add(module)
            pending += _imports(module)
            if "." in module:
                pending.append(module.rpartition(".")[0])
    digest = hashlib.sha256()
    for module in sorted(closure):
        digest.update(module.encode() + b"\0" + _path(module).read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def docstring(module: str) -> str:
    """Return the docstring of a module without importing it."""
    return ast.get_docstring(ast.parse(_path(module).read_text()))


@cache
def _path(module: str) -> Path | None:
    """File of a module, found without importing its parents (which may import torch)."""
    top, *rest = module.split(".")
    spec = importlib.util.find_spec(top)
    if spec is None or spec.origin is None:
        return None
    if not rest:
        return Path(spec.origin)
    stem = Path(spec.origin).parent.joinpath(*rest)
    candidates = (stem.with_suffix(".py"), stem / "__init__.py")
    return next((path for path in candidates if path.is_file()), None)


@cache
def _imports(module: str) -> tuple[str, ...]:
    package = module.split(".")[0]
    found = []
    for node in ast.walk(ast.parse(_path(module).read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        found += [n for n in names if n.split(".")[0] == package and _path(n)]
    return tuple(found)
