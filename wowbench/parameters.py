"""The base of everything that a config can set, and the way from YAML to it."""

from collections.abc import Collection, Mapping
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import core_schema

from wowbench.errors import InputError, closest
from wowbench.registry import Registry


class Parameters(BaseModel):
    """Typed, frozen parameters; an unknown key is an error that has the closest known one."""

    model_config = ConfigDict(frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_keys(cls, data: Any) -> Any:
        if isinstance(data, Mapping):
            for key in data:
                if key not in cls.model_fields:
                    raise ValueError(f"unknown key {key!r}; {closest(key, cls.model_fields)}")
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
            return cls(**values)
        except ValidationError as error:
            raise InputError(f"{where}: {explain(error)}") from None


def explain(error: ValidationError) -> str:
    """Put a validation error into one line, which names the first culprit."""
    first = error.errors(include_url=False)[0]
    place = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in first["loc"]).lstrip(".")
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "missing":
        message = "this key is required and missing"
    elif first["type"] != "value_error":
        message = f"got {first['input']!r} ({type(first['input']).__name__}); {message}"
    return f"{place}: {message}" if place else message


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
        if not isinstance(value, Mapping) or not isinstance(value.get(self.key), str):
            raise InputError(
                f"got {value!r}; expected the name of a {self.registry.kind} "
                f"or a mapping with the key {self.key!r}"
            )
        values = dict(value)
        name = values.pop(self.key)
        return self.registry.get(name).parse(values, name)

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


def _check_slug(value: str) -> str:
    if not value or not all(c.isalnum() or c in "._-" for c in value) or value[0] in ".-":
        raise ValueError(
            f"got {value!r}; expected a short name of letters, digits, '.', '_' and '-', "
            "since it becomes part of file names"
        )
    return value


Slug = Annotated[str, AfterValidator(_check_slug)]


def unique(what: str, names: list[str]) -> None:
    """Refuse a list in which a name comes twice.

    Raises
    ------
    ValueError
        Naming the first repeated one.
    """
    for i, name in enumerate(names):
        if name in names[:i]:
            raise ValueError(f"two {what} are called {name!r}; give one of them another `id`")
