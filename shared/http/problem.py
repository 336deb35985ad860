"""Errors as `application/problem+json` (RFC 9457), the same for every service.

Promises that an error's kind alone chooses the status, and that nothing of an unexpected error
reaches the caller but the id under which the log has it. `Problem` is its shape, to which an error
adds its members.
"""

import secrets
from http import HTTPStatus
from typing import Any

import msgspec
from aiohttp import web
from multidict import CIMultiDict, CIMultiDictProxy

from shared.errors import (
    CastonceError,
    Conflict,
    Invalid,
    Missing,
    NotNow,
    Refused,
    TooLarge,
    TooMany,
    Unauthenticated,
    WrongType,
)
from shared.redaction import redact_text

PROBLEM_TYPE = "application/problem+json"

SECURITY_HEADERS = CIMultiDictProxy(
    CIMultiDict(
        {
            "Cache-Control": "no-store",
            "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Referrer-Policy": "no-referrer",
            "Server": "castonce",
            "X-Content-Type-Options": "nosniff",
        }
    )
)

STATUS_OF: dict[type[CastonceError], int] = {
    Invalid: 400,
    Unauthenticated: 401,
    Refused: 403,
    Missing: 404,
    Conflict: 409,
    TooLarge: 413,
    WrongType: 415,
    TooMany: 429,
    NotNow: 503,
}


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What every error answer looks like; some codes add members of their own."""

    type: str = "about:blank"
    title: str
    status: int
    code: str
    detail: str
    request_id: str


def new_request_id() -> str:
    """A random id that ties an answer to its log line and to nothing else."""
    return secrets.token_hex(8)


def status_of(error: CastonceError) -> int:
    """The HTTP status for an error, by its kind; 500 for kinds that callers shouldn't see."""
    for kind in type(error).__mro__:
        if kind in STATUS_OF:
            return STATUS_OF[kind]
    return 500


def problem(
    status: int, code: str, detail: str, *, request_id: str, **members: Any
) -> web.Response:
    """An error answer; `detail` is a sentence for people, `members` are added as they are."""
    body = members | {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": redact_text(detail),
        "request_id": request_id,
    }
    response = web.Response(
        status=status,
        body=msgspec.json.encode(body),
        content_type=PROBLEM_TYPE,
        headers=SECURITY_HEADERS,
    )
    response.headers["X-Request-Id"] = request_id
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    if status in (429, 503):
        response.headers["Retry-After"] = str(members.get("retry_after_seconds", 1))
    return response


def problem_of(error: CastonceError, request_id: str) -> web.Response:
    """The answer to one of our own errors."""
    status = status_of(error)
    if status == 500:
        return unexpected(request_id)
    return problem(status, error.reason, str(error), request_id=request_id, **error.members)


def unexpected(request_id: str) -> web.Response:
    """The answer to an error that nobody foresaw: it says nothing but where to look."""
    detail = f"Something went wrong here; it is logged under {request_id}."
    return problem(500, "internal_error", detail, request_id=request_id)
