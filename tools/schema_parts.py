"""Parts of the schemas of answers: objects whose keys are always there, and the kinds of their values."""

from __future__ import annotations

from typing import Any

from capacity.vpc.ledger import VERDICTS

Schema = dict[str, Any]


def open_object(**properties: Schema) -> Schema:
    """Keys that are always there; later versions may add more."""
    return {"type": "object", "required": list(properties), "properties": properties}


INT: Schema = {"type": "integer"}
COUNT: Schema = {"type": "integer", "minimum": 0}
TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
VERDICT: Schema = {"enum": list(VERDICTS)}


def list_of(item: Schema) -> Schema:
    return {"type": "array", "items": item}


def or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}
