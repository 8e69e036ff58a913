"""The image operations that a config can choose, by name.

`wowbench.augmentation` holds what they do; methods and protocols read their names here, and thus
agree on the default.
"""

from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from wowbench.errors import InputError, closest, shown
from wowbench.names import unique

OPERATIONS = ("color", "crop", "cutout", "flip", "scale", "rotate")
SAFE = tuple(name for name in OPERATIONS if name != "flip")
"""What keeps the class of every image: a mirrored digit is none."""


def _read_operations(value: Any) -> tuple[str, ...]:
    if isinstance(value, bool):
        return SAFE if value else ()
    if not isinstance(value, list | tuple):
        raise InputError(f"got {shown(value)}; expected true, false or a list of operations")
    for name in value:
        if name not in OPERATIONS:
            raise InputError(
                f"got {shown(name)}, no differentiable operation; {closest(name, OPERATIONS)}"
            )
    unique("operations", list(value))
    return tuple(value)


Operations = Annotated[
    tuple[str, ...],
    BeforeValidator(_read_operations),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "boolean", "description": 'true is all but "flip"; false is none'},
                {"type": "array", "items": {"enum": list(OPERATIONS)}},
            ]
        }
    ),
]
"""Names of operations to draw from; true stands for `SAFE`, and false for none."""
