"""Every service's API as its document tells it: valid OpenAPI, and closed where it must be."""

from importlib import import_module
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from jsonschema import Draft202012Validator
from schemathesis.specs.openapi.definitions import OPENAPI_31

from services.board.api import BoardApi
from services.board.door import Door
from services.board.pages.handlers import Pages as BoardPages
from services.board.routes import make_api as make_board
from services.gateway.api import Lobby
from services.gateway.api import make_api as make_gateway
from services.gateway.ballots import Ballots
from services.gateway.pages import Pages as GatewayPages
from services.gateway.visits import Visits
from shared.http.api import Api
from shared.staff import StaffList
from shared.testing.promises import promise
from shared.web.assets import Assets
from shared.web.front import Front
from shared.web.pages import Site

INTERNAL = {
    "elections": ("ElectionsApi", "EndApi"),
    "identity": ("IdentityApi",),
    "codes": ("CodesApi",),
    "postal": ("PostalApi",),
}
ALL = [*INTERNAL, "gateway", "board"]
# A scan is known by its scan id, which the scanner chooses: the same scan again is the same scan.
NATURAL_KEYS = {"/elections/{election_id}/scans", "/elections/{election_id}/scans/bulk"}
FORBIDDEN_FIELDS = {"code", "voting_code", "private_credential", "secret", "private_key"}


def blank(kind: type[Any]) -> Any:
    """Handlers without anything behind them: enough to declare routes."""
    return kind.__new__(kind)


def board_api() -> Api:
    front = Front(Site(Assets.load("board"), "board", zone=ZoneInfo("UTC")))
    pages = blank(BoardPages)
    pages._front, pages._door = front, blank(Door)
    return make_board(blank(BoardApi), pages, front)


def gateway_api() -> Api:
    pages = blank(GatewayPages)
    pages._front = Front(Site(Assets.load("booth"), "booth", zone=ZoneInfo("UTC")))
    pages.refuse = pages._front.refuse
    return make_gateway(blank(Lobby), blank(Visits), blank(Ballots), pages)


def api_of(service: str) -> Api:
    if service == "gateway":
        return gateway_api()
    if service == "board":
        return board_api()
    module = import_module(f"services.{service}.api")
    handlers = [blank(getattr(module, name)) for name in INTERNAL[service]]
    made: Api = module.make_api(*handlers, StaffList(Path("none")))
    return made


def property_names(part: Any) -> set[str]:
    if isinstance(part, dict):
        own = set(part["properties"]) if isinstance(part.get("properties"), dict) else set()
        return own.union(*(property_names(inner) for inner in part.values()))
    if isinstance(part, list):
        return set().union(*(property_names(inner) for inner in part))
    return set()


@pytest.mark.parametrize("service", ALL)
def test_its_document_is_openapi(service: str) -> None:
    """Tools that know OpenAPI 3.1 can read every service's description."""
    document = api_of(service).document()
    Draft202012Validator(OPENAPI_31).validate(document)
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("service", INTERNAL)
def test_every_route_of_an_internal_api_asks_for_a_role(service: str) -> None:
    """Nothing in an official's service can be read or done without being known."""
    assert [route.path for route in api_of(service).routes if route.role is None] == []


@pytest.mark.parametrize("service", INTERNAL)
def test_whatever_changes_something_can_be_repeated(service: str) -> None:
    """A request whose answer was lost can be sent again: every POST has an id of its own."""
    without = [
        route.path
        for route in api_of(service).routes
        if route.method == "POST" and not route.needs_key and route.path not in NATURAL_KEYS
    ]
    assert without == []


def test_voters_meet_no_staff_route() -> None:
    """The public face has no door for officials."""
    assert [route.path for route in api_of("gateway").routes if route.role] == []


@promise("P14")
def test_the_public_can_only_look() -> None:
    """The board's listener has GET alone, and no route for officials: nothing can be done there."""
    routes = api_of("board").routes
    assert {route.method for route in routes} == {"GET"}
    assert [route.path for route in routes if route.role or route.needs_key] == []


@pytest.mark.parametrize("service", ALL)
@promise("P8")
def test_no_api_has_a_field_for_a_code_or_a_private_key(service: str) -> None:
    """No server can be sent a voting code in a field that is meant for one."""
    document = api_of(service).document()
    del document["components"]["schemas"]["Problem"]
    assert property_names(document["components"]["schemas"]).isdisjoint(FORBIDDEN_FIELDS)
