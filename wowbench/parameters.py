"""The base of everything that a config can set, and the way from YAML to it."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from pydantic_core import core_schema

from wowbench.errors import InputError, closest, shown
from wowbench.names import SLUG_LENGTH
from wowbench.registry import Registry
from wowbench.values import explain, has_boolean, holds_numbers


class Parameters(BaseModel):
    """Typed, frozen parameters.

    An unknown key is an error that has the closest known one. So are numbers that are infinite or
    not a number, and true and false in a field of numbers; text that is a number is one.

    Where a field holds a registered class and has a default, a mapping without a name changes
    parameters of the default: ``scheme: {lr: 0.5}``.
    """

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _complete_defaults(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        defaults = dict(_registered_defaults(cls))
        return {
            key: defaults[key][0].complete(value, defaults[key][1]) if key in defaults else value
            for key, value in data.items()
        }

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict:
        described = handler.resolve_ref_schema(handler(schema))
        for key, (entry, default) in _registered_defaults(cls):
            described["properties"][key]["anyOf"].append(entry.partial_schema(default))
        return described

    @model_validator(mode="before")
    @classmethod
    def _check_keys_and_booleans(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        for key, value in data.items():
            if key not in cls.model_fields:
                raise ValueError(f"unknown key {shown(key)}; {closest(key, cls.model_fields)}")
            if has_boolean(value) and holds_numbers(cls.model_fields[key].annotation):
                raise ValueError(f"{key}: got {shown(value)}; expected a number, not true or false")
        return data

    @classmethod
    def defaults(cls, but: Collection[str] = ()) -> dict[str, Any]:
        """Defaults of all fields that have one, `but` some, as JSON types."""
        return cls.model_construct().model_dump(mode="json", exclude=set(but))

    @classmethod
    def parse(cls, values: Mapping, where: str) -> Self:
        """Build from a mapping.

        Parameters
        ----------
        values : mapping
            Keys are the fields' names.
        where : str
            What the mapping is; begins the message.

        Raises
        ------
        InputError
            In one line: where, which key, what was given and what would be right.
        """
        try:
            return cls.model_validate(dict(values))
        except ValidationError as error:
            raise InputError(f"{where}: {explain(error)}") from None


class Component(Parameters):
    """Parameters of what is put together in Python as well as in a config: a kernel, a scheme.

    Raises
    ------
    InputError
        In one line for bad values.
    """

    def __init__(self, **values: Any):
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise InputError(explain(error)) from None


def defining_modules(parameters: Parameters) -> tuple[str, ...]:
    """Modules of the class of `parameters` and of the registered classes in its fields."""
    nested = (value for _, value in parameters if isinstance(value, Parameters))
    own = type(parameters).__module__
    return (own, *(module for value in nested for module in defining_modules(value)))


def _registered_defaults(cls: type[Parameters]) -> Iterator[tuple[str, tuple]]:
    """Names of fields that hold a registered class and have a default, with both of these."""
    for key, field in cls.model_fields.items():
        for entry in field.metadata:
            if isinstance(entry, FromRegistry) and isinstance(field.default, Parameters):
                yield key, (entry, field.default)


class FromRegistry:
    """Annotation of a field that holds an instance of a registered class.

    In a config the value is a registered name, or a mapping with the name under `key` and the
    parameters beside it.

    Parameters
    ----------
    registry : Registry
        Where the name is looked up.
    key : str, default "name"
        Key of the name in a mapping.
    """

    def __init__(self, registry: Registry, key: str = "name"):
        self.registry = registry
        self.key = key

    def build(self, value: Any) -> Any:
        """Turn a name or a mapping into an instance; pass an instance on."""
        if isinstance(value, Parameters):
            return value
        if isinstance(value, str):
            value = {self.key: value}
        name = value.get(self.key) if isinstance(value, Mapping) else None
        if not isinstance(name, str) or len(name) > SLUG_LENGTH:
            raise InputError(
                f"got {shown(value)}; expected the name of a {self.registry.kind} "
                f"or a mapping with the key {self.key!r}"
            )
        values = dict(value)
        del values[self.key]
        cls = self.registry.get(name)
        for key in values:
            if not isinstance(key, str):
                raise InputError(
                    f"{name}: unknown key {shown(key)}; {closest(key, cls.model_fields)}"
                )
        return cls.parse(values, name)

    def complete(self, value: Any, default: Parameters) -> Any:
        """Add name and parameters of a default to a mapping that has no name; pass others on."""
        if isinstance(value, Mapping) and self.key not in value:
            return {**self.dump(default), **value}
        return value

    def dump(self, value: Any) -> dict:
        """Inverse of `build`: every parameter, defaults included, as JSON types."""
        return {self.key: value.name, **value.model_dump(mode="json")}

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self.build, serialization=core_schema.plain_serializer_function_ser_schema(self.dump)
        )

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict:
        names = self.registry.names()
        return {"anyOf": [{"enum": names}, *(self._mapping_schema(name) for name in names)]}

    def partial_schema(self, default: Parameters) -> dict:
        """JSON schema of a mapping that changes parameters of a default."""
        schema = self._mapping_schema(default.name)
        del schema["properties"][self.key], schema["required"]
        for key, value in self.dump(default).items():
            if key in schema["properties"]:
                schema["properties"][key]["default"] = value
        return schema

    def _mapping_schema(self, name: str) -> dict:
        schema = self.registry.get(name).model_json_schema(ref_template="#/$defs/{model}")
        schema = _inlined(schema, schema.pop("$defs", {}))
        schema["properties"] = {self.key: {"const": name}, **schema["properties"]}
        schema["required"] = [self.key, *schema.get("required", [])]
        schema["additionalProperties"] = False
        return schema


def _inlined(node: Any, definitions: dict) -> Any:
    """Replace references by what they refer to, so that schemas nest without name clashes."""
    if isinstance(node, dict):
        if "$ref" in node:
            return _inlined(definitions[node["$ref"].rsplit("/", 1)[1]], definitions)
        return {key: _inlined(value, definitions) for key, value in node.items()}
    if isinstance(node, list):
        return [_inlined(value, definitions) for value in node]
    return node


Count = Annotated[int, Field(gt=0, le=10**6)]
"""Number of images, samples, directions or epochs."""

Steps = Annotated[int, Field(gt=0, le=10**9)]
"""Number of steps of a flow or of a training."""

Repeats = Annotated[int, Field(gt=0, le=1000)]
"""Number of flows or of trainings."""

Seed = Annotated[int, Field(ge=0, lt=2**63)]
"""What torch and NumPy alike take as a seed."""

StepSize = Annotated[float, Field(gt=0, le=1e38)]
"""Step size, a number that float32 holds."""

Share = Annotated[float, Field(ge=0, lt=1)]
"""Share of a velocity or of a moment that the next step keeps."""

Decay = Annotated[float, Field(ge=0, le=1e6)]
"""Weight decay."""

Bandwidth = Annotated[float, Field(ge=1e-20, le=1e20)]
"""Bandwidth of a kernel, whose powers float32 holds too."""


def _check_path(path: Path) -> Path:
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in str(path)):
        raise ValueError(f"got {shown(str(path))}; expected a path without control characters")
    return path


FolderPath = Annotated[Path, AfterValidator(_check_path)]
"""Path of a folder of the user's."""


def check_id(identifier: str | None, name: str, registry: Registry) -> None:
    """Refuse an `id` by which one thing would pass for another.

    Parameters
    ----------
    identifier : str or None
        The `id`; None passes.
    name : str
        Registered name of the thing itself.
    registry : Registry
        Where the others are.

    Raises
    ------
    ValueError
        If it is the registered name of another one, also in other capitals.
    """
    others = {other.casefold() for other in registry.names() if other != name}
    if identifier is not None and identifier.casefold() in others:
        raise ValueError(
            f"id {identifier!r} is the name of another {registry.kind}; choose a new one"
        )
