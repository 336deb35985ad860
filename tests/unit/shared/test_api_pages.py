"""Pages beside an API: HEAD, their own form of errors, and no place in its description."""

from __future__ import annotations

from aiohttp import web

from shared.errors import CastonceError, Missing
from shared.http.api import Api
from shared.testing.http import served


async def page(request: web.Request) -> web.StreamResponse:
    """A page."""
    if "missing" in request.query:
        raise Missing("It isn't here.")
    return web.Response(text="words")


async def thing(_: web.Request) -> web.StreamResponse:
    """A thing."""
    raise Missing("It isn't here.")


def refuse(_: web.Request, error: CastonceError, __: str) -> web.Response:
    return web.Response(status=404, text=f"page: {error}")


def _app() -> web.Application:
    api = Api("gateway", refuse=refuse)
    api.get("/page", page, is_page=True)
    api.get("/thing", thing, answers={200: None})
    return api.app()


async def test_a_page_answers_head_and_refuses_in_its_own_form() -> None:
    """Where nothing is, too; the API's own routes go on answering problems."""
    async with served(_app()) as (client, _):
        async with client.head("/page") as answer:
            assert (answer.status, answer.headers["Content-Length"]) == (200, "5")
        for path in ("/page?missing", "/nothing"):
            async with client.get(path) as answer:
                assert (await answer.text()).startswith("page: ")
        async with client.get("/thing") as answer:
            assert answer.headers["Content-Type"] == "application/problem+json"


async def test_no_description_names_a_page() -> None:
    """It is for programs."""
    async with served(_app()) as (client, _), client.get("/openapi.json") as answer:
        assert set((await answer.json())["paths"]) == {"/thing"}


async def test_without_a_form_of_its_own_a_page_refuses_as_the_api_does() -> None:
    """Problems are what everybody else's services answer."""
    api = Api("codes")
    api.get("/page", page, is_page=True)
    async with served(api.app()) as (client, _), client.get("/page?missing") as answer:
        assert answer.headers["Content-Type"] == "application/problem+json"
