"""What a value in a config holds, and how a wrong one is told."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import ValidationError

from wowbench.errors import shown


def explain(error: ValidationError) -> str:
    """Put a validation error into one line, which names the first culprit."""
    first = error.errors(include_url=False)[0]
    place = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in first["loc"]).lstrip(".")
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "missing":
        message = "this key is required and missing"
    elif first["type"] != "value_error":
        message = _readable(message, first.get("ctx", {}))
        message = f"got {shown(first['input'])} ({type(first['input']).__name__}); {message}"
    return f"{place}: {message}" if place else message


def _readable(message: str, context: Mapping) -> str:
    """Put pydantic's words for a path, and for a bound such as 1e38, as people would."""
    bound = next((context[key] for key in ("gt", "ge", "lt", "le") if key in context), None)
    if isinstance(bound, float):
        message = f"{message.rpartition(' ')[0]} {bound:g}"
    return message.removesuffix(" for <class 'pathlib.Path'>")


def has_boolean(value: Any) -> bool:
    """Whether a value is true or false, or has one of them in it at any depth."""
    pending, seen = [value], set()
    while pending:
        value = pending.pop()
        if isinstance(value, bool):
            return True
        if isinstance(value, list | tuple | set | dict) and id(value) not in seen:
            seen.add(id(value))
            pending += value.values() if isinstance(value, dict) else value
    return False


def holds_numbers(annotation: Any) -> bool:
    """Whether a field of this type takes numbers and no booleans."""
    types = list(_types(annotation))
    return bool not in types and any(issubclass(t, int | float) for t in types)


def _types(annotation: Any) -> Iterator[type]:
    """Types that a type is made of; those of its values for a Literal."""
    annotation = getattr(annotation, "__value__", annotation)
    arguments = get_args(annotation)
    if get_origin(annotation) is Literal:
        yield from map(type, arguments)
    elif get_origin(annotation) is Annotated:
        yield from _types(arguments[0])
    elif arguments:
        for argument in arguments:
            yield from _types(argument)
    elif isinstance(annotation, type):
        yield annotation
