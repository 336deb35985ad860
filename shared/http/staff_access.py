"""Who asks, and whether it is the same request again: the two headers of the internal APIs.

Promises that a handler which asks for a role runs for nobody else, and that an idempotency key
belongs to the person who chose it: another's equal key is another request.
"""

import re

from aiohttp import web

from shared.errors import Invalid, Refused, Unauthenticated
from shared.http.body import read_body
from shared.staff import Role, Staff, StaffList

STAFF_LIST = web.AppKey("castonce.staff_list", StaffList)
STAFF = web.RequestKey("castonce.staff", Staff)
_KEY = re.compile(r"[A-Za-z0-9_-]{8,64}")


def require_role(request: web.Request, role: Role) -> Staff:
    """The member of staff who asks.

    Raises Unauthenticated for a missing, unknown or revoked secret, Refused for another role. An
    officer may do what a clerk may.
    """
    staff = authenticated(request)
    if not staff.may(role):
        raise Refused(f"This needs the role of {role}; yours is {staff.role}.", code="wrong_role")
    return staff


def authenticated(request: web.Request) -> Staff:
    """The member of staff whose secret came with the request, looked up once."""
    if STAFF in request:
        return request[STAFF]
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret:
        raise Unauthenticated("Send your staff secret as Authorization: Bearer cst_...")
    staff = request.app[STAFF_LIST].authenticate(secret.strip())
    if staff is None:
        raise Unauthenticated("This staff secret is unknown or revoked.")
    request[STAFF] = staff
    return staff


def idempotency_key(request: web.Request) -> str:
    """The client's key for this request, scoped to the member of staff: `<staff-id>/<key>`.

    Raises Invalid when the header Idempotency-Key is missing or isn't 8 to 64 of [A-Za-z0-9_-].
    """
    key = request.headers.get("Idempotency-Key", "")
    if not _KEY.fullmatch(key):
        raise Invalid(
            "Send a header Idempotency-Key of 8 to 64 letters, digits, - or _ that is new for each "
            "thing you want done, and the same when you repeat a request.",
            code="idempotency_key",
        )
    staff = request.get(STAFF)
    return f"{staff.id}/{key}" if staff else key


async def request_bytes(request: web.Request) -> bytes:
    """What must be equal for a request to be the same one again: method, path, query and body."""
    return f"{request.method} {request.raw_path}\n".encode() + await read_body(request)
