"""The OpenAPI 3.1 description of the API, derived from the declaration of its routes."""

from __future__ import annotations

from typing import Any

import msgspec

from lvsd.core.notify.events import AnyEvent

from .api import ROUTES, Error, Route

VERSION = "1"
"""Of the API; fields may join, none leaves and none changes its meaning."""

_MEANING = {
    200: "Done.",
    400: "The request is wrong.",
    409: "The process refuses.",
    413: "The body is too large.",
    503: "Not now.",
    504: "The process did not answer in time; it may still carry the order out.",
}


def document() -> dict[str, Any]:
    """As OpenAPI Specification 3.1.0 has it."""
    types: list[type[msgspec.Struct]] = [Error]
    types += [route.answer for route in ROUTES if not isinstance(route.answer, str)]
    types += [route.body for route in ROUTES if route.body is not None]
    schemas, components = msgspec.json.schema_components((*types, AnyEvent), ref_template="#/components/schemas/{name}")
    known = dict(zip((kind.__name__ for kind in types), schemas[:-1], strict=True))
    paths: dict[str, Any] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, known, schemas[-1])
    return {
        "openapi": "3.1.0",
        "info": {"title": "lvsd", "version": VERSION, "description": "HTTP on the admin socket of lvsd."},
        "servers": [{"url": "http://lvsd", "description": "the unix socket /run/lvsd/admin.sock"}],
        "paths": paths,
        "components": {"schemas": components},
    }


def _operation(route: Route, known: dict[str, Any], event: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {"operationId": route.name, "summary": route.doc, "responses": {}}
    parameters = [
        {
            "name": part[1:-1],
            "in": "path",
            "required": True,
            "schema": {"type": "string", "minLength": 1, "maxLength": 100},
            "description": "Address, or address:port, as in the configuration.",
        }
        for part in route.path.split("/")
        if part.startswith("{")
    ]
    for query in route.queries:
        schema = {"type": "boolean"} if query.kind is bool else {"type": "integer", "minimum": query.least}
        parameters.append(
            {"name": query.name, "in": "query", "required": False, "schema": schema, "description": query.doc}
        )
    if parameters:
        operation["parameters"] = parameters
    if route.body is not None:
        required = any(field.required for field in msgspec.structs.fields(route.body))
        operation["requestBody"] = {
            "required": required,
            "content": {"application/json": {"schema": known[route.body.__name__]}},
        }
    for status in route.statuses:
        operation["responses"][str(status)] = {
            "description": _MEANING[status],
            "content": _content(route, status, known, event),
        }
    return operation


def _content(route: Route, status: int, known: dict[str, Any], event: dict[str, Any]) -> dict[str, Any]:
    answer = route.answer
    if status != 200 and (isinstance(answer, str) or answer.__name__ != "Health"):
        return {"application/json": {"schema": known["Error"]}}
    if not isinstance(answer, str):
        return {"application/json": {"schema": known[answer.__name__]}}
    if route.name == "events":
        numbered = {"allOf": [event, {"properties": {"id": {"type": "integer"}}, "required": ["id"]}]}
        events = {
            "type": "object",
            "properties": {"events": {"type": "array", "items": numbered}},
            "required": ["events"],
        }
        return {"application/json": {"schema": events}, "text/event-stream": {"schema": {"type": "string"}}}
    media = answer.partition(";")[0]
    return {media: {"schema": {"type": "object" if media == "application/json" else "string"}}}
