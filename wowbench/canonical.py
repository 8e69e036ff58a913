"""One text for equal values."""

import json


def canonical_json(values: object) -> str:
    """JSON text that is the same for equal values, whatever the order of their keys."""
    return json.dumps(values, sort_keys=True, separators=(",", ":"))
