"""Ask a service, at its admin port, whether it is ready to work."""

from __future__ import annotations

import http.client

from deploy.local.ports import LOOPBACK, Ports, require_free
from deploy.local.services import ServiceSpec

TIMEOUT_SECONDS = 2


def is_ready(admin_port: int) -> bool:
    """Whether GET /readyz answers 200; anything else, silence included, is not ready."""
    connection = http.client.HTTPConnection(LOOPBACK, admin_port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def require_free_ports(ports: Ports, spec: ServiceSpec) -> None:
    """Raise PortTaken if the service could not listen where it is told to."""
    wanted = {f"{spec.name} (admin)": spec.admin_port}
    api_port = int(spec.environment["CASTONCE_API_PORT"])
    if api_port:
        wanted[spec.name] = api_port
    require_free(ports, wanted)
