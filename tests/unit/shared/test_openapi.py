"""The OpenAPI document: says what the routes do, in the form that tools expect."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web
from jsonschema import Draft202012Validator
from schemathesis.specs.openapi.definitions import OPENAPI_31

from shared.http.api import Api, reply
from shared.staff import StaffList
from shared.testing.http import served

ELECTION = "78jtVeEwZkgRBC"


class Thing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A body."""

    title: str
    parts: list[int] = []


class Page(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A query."""

    first: int = 0


async def anything(_: web.Request) -> web.StreamResponse:
    """Do something."""
    return reply(200)


@pytest.fixture
def api(tmp_path: Path) -> Api:
    made = Api("things", StaffList(tmp_path / "none.json"))
    made.post("/things", anything, body=Thing, answers={201: Thing}, refuses={409: ["exists"]})
    made.get("/things", anything, query=Page)
    made.post("/staff", anything, role="officer", needs_key=True)
    made.post("/upload", anything, body_type="application/octet-stream")
    made.post("/lines", anything, body=Thing, body_type="application/x-ndjson")
    made.get("/progress", anything, answer_type="application/x-ndjson")
    made.get("/elections/{election_id}", anything)
    made.post("/elections/{election_id}/ballots/{tracker}", anything, is_bare=True)
    return made


def test_it_is_openapi(api: Api) -> None:
    """The document has the structure that the OpenAPI Initiative's own schema demands."""
    Draft202012Validator(OPENAPI_31).validate(api.document())


def schemas_in(part: Any) -> list[dict[str, Any]]:
    if isinstance(part, dict):
        own = [part["schema"]] if isinstance(part.get("schema"), dict) else []
        return own + [found for inner in part.values() for found in schemas_in(inner)]
    if isinstance(part, list):
        return [found for inner in part for found in schemas_in(inner)]
    return []


def test_every_route_is_in_it(api: Api) -> None:
    """Nothing is offered that isn't described."""
    document = api.document()
    described = {
        (method.upper(), path) for path, item in document["paths"].items() for method in item
    }
    assert described == {(route.method, route.path) for route in api.routes}
    assert document["openapi"] == "3.1.0"
    operations = [item[method] for item in document["paths"].values() for method in item]
    ids = [operation["operationId"] for operation in operations]
    assert len(set(ids)) == len(ids)
    assert all(operation["summary"] for operation in operations)


def test_its_schemas_are_schemas_and_lead_somewhere(api: Api) -> None:
    """Tools that make clients or tests from it find every part."""
    document = api.document()
    components = document["components"]["schemas"]
    for schema in [*schemas_in(document["paths"]), *components.values()]:
        Draft202012Validator.check_schema(schema)
        if "$ref" in schema:
            assert schema["$ref"].rpartition("/")[2] in components


def test_a_path_says_the_form_of_its_parts(api: Api) -> None:
    """A client knows what an election's id looks like."""
    (parameter,) = api.document()["paths"]["/elections/{election_id}"]["get"]["parameters"]
    assert parameter["in"] == "path"
    assert Draft202012Validator(parameter["schema"]).is_valid(ELECTION)
    assert not Draft202012Validator(parameter["schema"]).is_valid("short")


def test_an_officials_route_says_what_it_needs(api: Api) -> None:
    """Secret, role and idempotency key are part of the description."""
    operation = api.document()["paths"]["/staff"]["post"]
    assert operation["security"] == [{"staff": []}]
    assert operation["x-role"] == "officer"
    assert [parameter["name"] for parameter in operation["parameters"]] == ["Idempotency-Key"]
    assert {"401", "403", "503"} <= set(operation["responses"])
    assert "security" not in api.document()["paths"]["/things"]["post"]


def test_a_body_and_its_refusals_are_described(api: Api) -> None:
    """A client knows what to send and which codes can come back."""
    operation = api.document()["paths"]["/things"]["post"]
    assert operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith(
        "/Thing"
    )
    assert operation["responses"]["409"]["x-codes"] == ["exists"]
    assert {"201", "400", "413", "415", "500"} <= set(operation["responses"])
    query = api.document()["paths"]["/things"]["get"]["parameters"]
    assert [(each["name"], each["in"], each["required"]) for each in query] == [
        ("first", "query", False)
    ]


async def test_it_is_served(api: Api) -> None:
    """Whoever reaches a service can ask it what it offers."""
    async with served(api.app()) as (client, _):
        response = await client.get("/openapi.json")
        assert await response.json() == api.document()
