"""Whether the tests of pages would see what no page may do."""

import re

import pytest
from playwright.async_api import Route

from tests.browser.axe import violations
from tests.browser.canaries import Secrets, require_nothing_kept
from tests.browser.polls import answers_of
from tests.browser.tab import Tab
from tests.journeys.gathering import Gathering
from tests.journeys.patience import until

POLICY = "default-src 'self'; require-trusted-types-for 'script'"
PAGE = """<!doctype html><html lang=en><title>A</title><script src=/bad.js></script>
<main><h1>Page</h1><input id=field></main>"""


async def _shows(tab: Tab, script: str, added: str = "") -> None:
    """A page of the booth's origin that runs this script under a strict policy."""

    async def page(route: Route) -> None:
        headers = {"Content-Security-Policy": POLICY, "Content-Type": "text/html"}
        await route.fulfill(headers=headers, body=PAGE + added)

    async def code(route: Route) -> None:
        await route.fulfill(content_type="text/javascript", body=script)

    await tab.page.route(f"{tab.booth}/bad", page)
    await tab.page.route(f"{tab.booth}/bad.js", code)
    await tab.go("/bad")


@pytest.mark.parametrize(
    ("script", "fault"),
    [
        ("location = 'https://elsewhere.example/'", "another origin: GET https://elsewhere"),
        ("fetch('https://elsewhere.example/')", "policy violated: connect-src"),
        ("console.error('oh')", "console: oh"),
        ("throw new Error('lost')", "an error of a script: .*lost"),
        ("Promise.reject(new Error('unheard'))", "an error of a script: .*unheard"),
        ("document.head.innerHTML = '<b>'", "policy violated: require-trusted-types-for"),
    ],
)
async def test_what_no_page_may_do_fails_a_test(tab: Tab, script: str, fault: str) -> None:
    """A watch that saw nothing would let everything pass."""
    await _shows(tab, script)
    await until(lambda: any(re.search(fault, one) for one in tab.watch.faults), what=fault)
    with pytest.raises(AssertionError, match=fault):
        tab.watch.require_clean()
    tab.watch.faults.clear()


async def test_a_script_in_the_page_is_seen(tab: Tab) -> None:
    """It doesn't run, and the violation is told."""
    await _shows(tab, "", added="<script>stolen = 1</script>")
    # The console's own line comes at once, the event that the watch listens to when its turn is.
    fault = "policy violated: script-src-elem by inline"
    await until(lambda: any(fault in one for one in tab.watch.faults), what=fault)
    with pytest.raises(AssertionError, match=fault):
        tab.watch.require_clean()
    tab.watch.faults.clear()


@pytest.mark.parametrize(
    ("script", "place"),
    [
        ("sessionStorage.a = 'SECRET'", "sessionStorage"),
        ("document.cookie = 'a=SECRET'", "cookies"),
        ("history.replaceState('SECRET', '')", "history"),
        ("history.pushState(null, '', '#SECRET')", "history"),
        ("fetch('/api/SECRET')", "resources|what was sent"),
        ("onload = () => { field.value = 'SECRET' }", "fields"),
        ("document.title = 'SECRET'", "history"),
        ("document.documentElement.dataset.a = 'SECRET'", "document"),
    ],
)
async def test_a_code_that_is_kept_anywhere_is_found(
    tab: Tab, one: Gathering, script: str, place: str
) -> None:
    """In lower case and with hyphens too."""
    elect = one.electors[0]
    written = "-".join(elect.code[at : at + 4] for at in range(0, 20, 4)).lower()
    await _shows(tab, script.replace("SECRET", written))
    secrets = Secrets.of(elect, answers_of(one, elect.elector))
    with pytest.raises(AssertionError, match=f"the code is in ({place})"):
        await require_nothing_kept(tab.page, secrets, watch=tab.watch)
    tab.watch.faults.clear()


async def test_an_inaccessible_page_is_found(tab: Tab) -> None:
    """A field without a name is the least that must be seen."""
    await _shows(tab, "")
    assert any(found.startswith("label ") for found in await violations(tab.page))
