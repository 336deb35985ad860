"""A service's HTTP API: declared routes, strict requests, every error as a problem.

Promises that a handler runs only for a request that its route allows (role, idempotency key, path),
that no error leaks what went wrong inside, and that log lines name the route, never the path.
Must never decide anything. See README.md beside this file for an example.
"""

from collections.abc import Callable
from time import perf_counter
from typing import Any, TypeVar, Unpack

import msgspec
from aiohttp import web
from multidict import CIMultiDict, CIMultiDictProxy
from prometheus_client import Counter

from shared.errors import CastonceError, Invalid, Missing
from shared.http.body import parse_json, read_body, read_json, read_lines
from shared.http.ndjson import Lines, ndjson
from shared.http.openapi import document
from shared.http.problem import (
    SECURITY_HEADERS,
    new_request_id,
    problem,
    problem_of,
    unexpected,
)
from shared.http.routes import Handler, Method, Route, RouteOptions
from shared.http.staff_access import (
    STAFF,
    STAFF_LIST,
    idempotency_key,
    request_bytes,
    require_role,
)
from shared.logs import get_logger
from shared.metrics import counter, histogram
from shared.staff import StaffList

__all__ = [
    "Api",
    "Lines",
    "Route",
    "idempotency_key",
    "ndjson",
    "parse_json",
    "read_body",
    "read_json",
    "read_lines",
    "read_query",
    "reply",
    "request_bytes",
    "require_role",
]

T = TypeVar("T")
Refusing = Callable[[web.Request, CastonceError, str], web.Response]
"""Makes the answer to an error, given the request and its id."""

_JSON_HEADERS = CIMultiDictProxy(
    CIMultiDict([*SECURITY_HEADERS.items(), ("Content-Type", "application/json")])
)
_ANYTHING = "/{rest:.*}"
_ENCODER = msgspec.json.Encoder()
_REQUESTS = counter(
    "castonce_http_requests_total",
    "Requests answered, by route, method and status.",
    "route",
    "method",
    "status",
)
_SECONDS = histogram(
    "castonce_http_request_seconds", "Time from a request's head to its answer.", "route"
)
log = get_logger()


def reply(status: int, value: Any = None) -> web.Response:
    """A JSON answer; `value` is a struct, a dict, or bytes that are JSON already."""
    body = value if isinstance(value, bytes) else _ENCODER.encode(value)
    return web.Response(status=status, body=body, headers=_JSON_HEADERS)


def read_query(request: web.Request, kind: type[T]) -> T:
    """The query string as a struct; raises Invalid naming the parameter."""
    given = dict(request.query)
    if len(given) != len(request.query):
        raise Invalid("A query parameter occurs twice.", code="invalid_query")
    try:
        return msgspec.convert(given, kind, strict=False)
    except msgspec.ValidationError as error:
        raise Invalid(f"Query: {error}.", code="invalid_query") from None


def as_problem(_: web.Request, error: CastonceError, request_id: str) -> web.Response:
    """The answer that programs read."""
    return problem_of(error, request_id)


class Api:
    """The routes of one service; `app()` makes the application, `document()` its description."""

    def __init__(
        self, service: str, staff: StaffList | None = None, refuse: Refusing = as_problem
    ) -> None:
        """`refuse`: how pages, and addresses where nothing is, answer an error."""
        self.service = service
        self.routes: list[Route] = []
        self._staff = staff
        self._refuse = refuse

    def get(self, path: str, handler: Handler, **what: Unpack[RouteOptions]) -> None:
        """Offer GET; the keywords are those of `Route`."""
        self.add("GET", path, handler, **what)

    def post(self, path: str, handler: Handler, **what: Unpack[RouteOptions]) -> None:
        """Offer POST; the keywords are those of `Route`."""
        self.add("POST", path, handler, **what)

    def add(
        self, method: Method, path: str, handler: Handler, **what: Unpack[RouteOptions]
    ) -> None:
        """Offer an operation; its summary is the first line of the handler's docstring.

        Raises ValueError for a route that could not keep what it declares.
        """
        summary = (handler.__doc__ or "").strip().partition("\n")[0]
        route = Route(method=method, path=path, handler=handler, summary=summary, **what)
        self._check(route)
        self.routes.append(route)

    def _check(self, route: Route) -> None:
        if not route.summary:
            raise ValueError(f"{route.path}: the handler's docstring says what the route does")
        if route.is_bare and (route.role or route.needs_key):
            raise ValueError(f"{route.path}: a bare route checks neither role nor key")
        if route.role and self._staff is None:
            raise ValueError(f"{route.path}: a role needs a list of staff")
        for name in route.path_names():
            route.path_type(name)

    def document(self, title: str | None = None) -> dict[str, Any]:
        """The OpenAPI 3.1 description of these routes."""
        described = [route for route in self.routes if not route.is_page]
        return document(described, title or f"Castonce {self.service}")

    def app(self) -> web.Application:
        """The application; serve it with `Service.add_api`."""
        # Bodies are bounded by `read_body`; aiohttp's own bound must not be the smaller one.
        app = web.Application(client_max_size=max(r.max_body_bytes for r in self.routes))
        if self._staff is not None:
            app[STAFF_LIST] = self._staff
        for route in self.routes:
            refuse = self._refuse if route.is_page else as_problem
            handler = _bare(route) if route.is_bare else _checked(route, refuse)
            for method in (route.method, "HEAD") if route.is_page else (route.method,):
                app.router.add_route(method, route.path, handler)
        described = msgspec.json.encode(self.document())

        async def describe(_: web.Request) -> web.StreamResponse:
            return reply(200, described)

        app.router.add_route("GET", "/openapi.json", describe)
        app.router.add_route("*", _ANYTHING, _otherwise(app, self._refuse))
        return app


def _bare(route: Route) -> Handler:
    """The handler with errors in form, and nothing else: for the few routes that must be fast."""
    handler = route.handler

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except CastonceError as error:
            return problem_of(error, new_request_id())
        except Exception:
            request_id = new_request_id()
            log.exception("request_failed", route=route.path, request_id=request_id)
            return unexpected(request_id)

    return answer


def _checked(route: Route, refuse: Refusing) -> Handler:
    """The handler behind its route's checks, with a log line and metrics."""
    check_path = _path_checker(route)
    seconds = _SECONDS.labels(route.path)
    counts: dict[int, Counter] = {}

    async def answer(request: web.Request) -> web.StreamResponse:
        began = perf_counter()
        request_id = new_request_id()
        try:
            _admit(route, request)
            check_path(request)
            response = await route.handler(request)
        except CastonceError as error:
            response = refuse(request, error, request_id)
        except Exception:
            log.exception("request_failed", route=route.path, request_id=request_id)
            response = refuse(request, CastonceError(), request_id)
        if not response.prepared:
            response.headers["X-Request-Id"] = request_id
        elapsed = perf_counter() - began
        seconds.observe(elapsed)
        if response.status not in counts:
            counts[response.status] = _REQUESTS.labels(route.path, route.method, response.status)
        counts[response.status].inc()
        _note(route, request, response.status, request_id, elapsed)
        return response

    return answer


def _admit(route: Route, request: web.Request) -> None:
    if route.role is not None:
        require_role(request, route.role)
    if route.needs_key:
        idempotency_key(request)


def _path_checker(route: Route) -> Callable[[web.Request], None]:
    kinds = [(name, route.path_type(name)) for name in route.path_names()]

    def check(request: web.Request) -> None:
        for name, kind in kinds:
            try:
                msgspec.convert(request.match_info[name], kind, strict=False)
            except msgspec.ValidationError:
                raise Missing(f"There is no such {name}.", code="not_found") from None

    return check


def _note(route: Route, request: web.Request, status: int, request_id: str, seconds: float) -> None:
    # Voters' requests leave no line: a log of them would tell who came when.
    if route.role is None:
        return
    staff = request.get(STAFF)
    log.info(
        "request_answered",
        route=route.path,
        method=route.method,
        status=status,
        staff_id=staff.id if staff else None,
        request_id=request_id,
        milliseconds=round(seconds * 1000, 1),
    )


def _otherwise(app: web.Application, refuse: Refusing) -> Handler:
    """Answers what no route matched: 405 when another method would, else 404."""
    offered = list(app.router.resources())

    async def answer(request: web.Request) -> web.StreamResponse:
        allowed: set[str] = set()
        for resource in offered:
            _, methods = await resource.resolve(request)
            allowed |= methods
        request_id = new_request_id()
        if not allowed:
            missing = Missing("There is nothing at this address.", code="not_found")
            return refuse(request, missing, request_id)
        sentence = "This address takes another method."
        response = problem(405, "method_not_allowed", sentence, request_id=request_id)
        response.headers["Allow"] = ", ".join(sorted(allowed))
        return response

    return answer
