"""The admin port: alive, ready or why not, and what was measured."""

from shared.http.admin import make_app
from shared.testing.http import served


async def nothing_wrong() -> dict[str, str | None]:
    return {"running": None, "stream": None}


async def stream_stands() -> dict[str, str | None]:
    return {"running": None, "stream": "rights-3 halted: shorter_log"}


async def test_a_live_process_says_so_whatever_else_is_wrong() -> None:
    """A supervisor doesn't kill a service that waits for its database."""
    async with served(make_app(stream_stands)) as (client, _):
        response = await client.get("/livez")
        assert response.status == 200
        assert await response.json() == {"alive": True}


async def test_ready_means_every_check() -> None:
    """Traffic is sent only to a service whose every part works; else the reason is there."""
    async with served(make_app(nothing_wrong)) as (client, _):
        response = await client.get("/readyz")
        assert (response.status, (await response.json())["ready"]) == (200, True)
    async with served(make_app(stream_stands)) as (client, _):
        response = await client.get("/readyz")
        assert response.status == 503
        assert await response.json() == {
            "ready": False,
            "checks": {
                "running": {"ready": True, "reason": ""},
                "stream": {"ready": False, "reason": "rights-3 halted: shorter_log"},
            },
        }


async def test_what_was_measured_is_shown_to_prometheus() -> None:
    """A scraper finds the text format that it knows."""
    async with served(make_app(nothing_wrong)) as (client, _):
        response = await client.get("/metrics")
        assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        assert "process_cpu_seconds_total" in await response.text()
