"""What an API offers, as values: router, checks and the OpenAPI document come from these."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypedDict

from aiohttp import web

from shared.contracts.fields import (
    BatchNumber,
    ElectionId,
    EventId,
    RightId,
    Serial,
    Tracker,
)
from shared.http.body import MAX_BODY_BYTES
from shared.staff import Role

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Method = Literal["GET", "POST"]
MediaType = Literal[
    "application/json",
    "application/x-ndjson",
    "application/octet-stream",
    "text/plain",
    "text/html",
]

PATH_TYPES: dict[str, Any] = {
    "election_id": ElectionId,
    "right_id": RightId,
    "session_id": EventId,
    "serial": Serial,
    "scan_id": EventId,
    "batch": BatchNumber,
    "tracker": Tracker,
}
"""What the parts of our paths look like; a route may name others."""


@dataclass(frozen=True, slots=True)
class Route:
    """One operation.

    `body`, `query` and `answers` are msgspec types, for the document and for checks; `refuses` maps
    a status to the problem codes that the handler raises beside the common ones. `is_bare` routes
    run without the wrapper: no role, key, path check, log line or metrics, but errors in form.
    `is_page`: for people's browsers, so HEAD is answered too and no description names it.
    """

    method: Method
    path: str
    handler: Handler
    summary: str
    body: Any = None
    body_type: MediaType = "application/json"
    max_body_bytes: int = MAX_BODY_BYTES
    query: Any = None
    answers: Mapping[int, Any] = field(default_factory=lambda: {200: None})
    answer_type: MediaType = "application/json"
    refuses: Mapping[int, Sequence[str]] = field(default_factory=dict)
    role: Role | None = None
    needs_key: bool = False
    is_bare: bool = False
    is_page: bool = False
    path_types: Mapping[str, Any] = field(default_factory=dict)

    def path_names(self) -> list[str]:
        """The names in braces, in the order of the path."""
        return [part[1:-1] for part in self.path.split("/") if part.startswith("{")]

    def path_type(self, name: str) -> Any:
        """What this part of the path must look like; raises KeyError if nobody said."""
        return self.path_types[name] if name in self.path_types else PATH_TYPES[name]


class RouteOptions(TypedDict, total=False):
    """The keywords of `Api.get` and `Api.post`: the fields of `Route`."""

    body: Any
    body_type: MediaType
    max_body_bytes: int
    query: Any
    answers: Mapping[int, Any]
    answer_type: MediaType
    refuses: Mapping[int, Sequence[str]]
    role: Role
    needs_key: bool
    is_bare: bool
    is_page: bool
    path_types: Mapping[str, Any]
