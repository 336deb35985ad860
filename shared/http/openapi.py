"""OpenAPI 3.1 from the routes of an API: what is documented is what is checked.

Promises that the document names every route, its path patterns, body, answers and problem codes.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from shared.http.problem import Problem
from shared.http.routes import Route

VERSION = "1.0.0"
_REF = "#/components/schemas/{name}"
_COMMON = {400: ["invalid_body", "not_json"], 404: ["not_found"], 500: ["internal_error"]}


def document(routes: Sequence[Route], title: str) -> dict[str, Any]:
    """The OpenAPI document of these routes."""
    kinds = [kind for route in routes for kind in _types(route)]
    schemas, components = msgspec.json.schema_components([*kinds, Problem], ref_template=_REF)
    schema_of = {id(kind): schema for kind, schema in zip(kinds, schemas, strict=False)}
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schema_of)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": VERSION},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"staff": {"type": "http", "scheme": "bearer"}},
        },
    }


def _types(route: Route) -> list[Any]:
    paths = [route.path_type(name) for name in route.path_names()]
    bodies = [
        kind for kind in (route.body, route.query, *route.answers.values()) if kind is not None
    ]
    return [*paths, *bodies]


def _operation(route: Route, schema_of: Mapping[int, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "operationId": f"{route.method.lower()}{route.path}".translate(_OPERATION_ID).strip("_"),
        "summary": route.summary,
        "parameters": [*_path_parameters(route, schema_of), *_query_parameters(route)],
        "responses": _responses(route, schema_of),
    }
    if route.needs_key:
        made["parameters"].append(_KEY_PARAMETER)
    if route.body is not None:
        content = {route.body_type: {"schema": schema_of[id(route.body)]}}
        made["requestBody"] = {"required": True, "content": content}
    elif route.body_type != "application/json":
        made["requestBody"] = {"required": True, "content": {route.body_type: {}}}
    if route.role:
        made["security"] = [{"staff": []}]
        made["x-role"] = route.role
    return made


_OPERATION_ID = str.maketrans({"/": "_", "{": "", "}": "", "-": "_"})
_KEY_PARAMETER = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{8,64}$"},
}


def _path_parameters(route: Route, schema_of: Mapping[int, Any]) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": schema_of[id(route.path_type(name))],
        }
        for name in route.path_names()
    ]


def _query_parameters(route: Route) -> list[dict[str, Any]]:
    if route.query is None:
        return []
    fields = msgspec.structs.fields(route.query)
    schemas, _ = msgspec.json.schema_components([field.type for field in fields])
    return [
        {
            "name": field.encode_name,
            "in": "query",
            "required": field.required,
            "schema": schema,
        }
        for field, schema in zip(fields, schemas, strict=True)
    ]


def _responses(route: Route, schema_of: Mapping[int, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for status, kind in sorted(route.answers.items()):
        made[str(status)] = {"description": "Done." if status < 300 else "See its body."}
        if kind is not None:
            made[str(status)]["content"] = {route.answer_type: {"schema": schema_of[id(kind)]}}
    for status, codes in sorted(_problems(route).items()):
        made.setdefault(
            str(status),
            {
                "description": "Problem: " + ", ".join(sorted(codes)),
                "content": {
                    "application/problem+json": {
                        "schema": {"$ref": _REF.format(name="Problem")},
                    }
                },
                "x-codes": sorted(codes),
            },
        )
    return made


def _problems(route: Route) -> dict[int, set[str]]:
    problems = {status: set(codes) for status, codes in _COMMON.items()}
    if route.body is not None or route.body_type != "application/json":
        problems |= {413: {"too_large"}, 415: {"unsupported_media_type"}}
    if route.role:
        problems |= {401: {"unauthenticated"}, 403: {"wrong_role"}, 503: {"unavailable"}}
    for status, codes in route.refuses.items():
        problems[status] = problems.get(status, set()) | set(codes)
    return problems
