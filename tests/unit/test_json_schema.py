"""JSON schemas whose repeated parts are written once."""

import json
from collections import Counter

from wowbench.config import Config, config_schema
from wowbench.json_schema import LEAST, share_repeats

POINT = {
    "title": "A point",
    "type": "object",
    "properties": {"x": {"type": "number"}, "y": {"type": "number"}},
    "description": "long enough to be worth a definition: " + 200 * ".",
}


def expanded(part, definitions):
    """Put definitions in place of references."""
    if isinstance(part, list):
        return [expanded(each, definitions) for each in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        return expanded(definitions[part["$ref"].rpartition("/")[2]], definitions)
    return {key: expanded(value, definitions) for key, value in part.items() if key != "$defs"}


def test_a_part_that_comes_again_is_defined_once():
    other = {**POINT, "required": ["x"]}
    schema = {"properties": {"a": POINT, "b": POINT, "c": {"items": other}, "d": other, "e": {}}}
    shared = share_repeats(schema)
    point, second = {"$ref": "#/$defs/Apoint"}, {"$ref": "#/$defs/Apoint2"}
    expected = {"a": point, "b": point, "c": {"items": second}, "d": second, "e": {}}
    assert shared["properties"] == expected
    assert shared["$defs"] == {"Apoint": POINT, "Apoint2": other}


def test_properties_that_look_alike_are_no_schema():
    """A mapping of names may be equal to another one, and must not become a reference."""
    named = {name: {"title": name, "description": 60 * "."} for name in ("title", "items", "x")}
    schema = {"anyOf": [{"title": "a", "properties": named}, {"title": "b", "properties": named}]}
    assert share_repeats(schema)["anyOf"] == schema["anyOf"]


def test_the_schema_of_configs_says_the_same_in_fewer_words():
    whole, shared = Config.model_json_schema(), config_schema()
    del shared["$schema"], shared["additionalProperties"]
    same = [expanded(schema, schema.get("$defs", {})) for schema in (whole, shared)]
    assert same[0] | {"additionalProperties": None} == same[1] | {"additionalProperties": None}
    mappings = []

    def collect(part):
        for each in part.values() if isinstance(part, dict) else part:
            if isinstance(each, dict | list):
                collect(each)
        if isinstance(part, dict) and "properties" in part and "type" in part:
            mappings.append(json.dumps(part, sort_keys=True))

    collect(shared)
    assert mappings
    assert not [text for text, n in Counter(mappings).items() if n > 1 and len(text) > 2 * LEAST]
