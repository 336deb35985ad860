"""A voter at the booth, by what a person sees: labels, buttons and headings.

Promises to wait on the step that the page says it is at, never on time.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from playwright.async_api import Locator, Page, expect

from tests.browser.polls import answers_of
from tests.browser.tab import Tab
from tests.journeys.gathering import Elect, Gathering

_TRACKER: Final = re.compile(r"^\s*\S{43}\s*$")
BLANK: Final = "Blank vote"
Choices = Sequence[Sequence[str]]
FIRST: Final[Choices] = (("Ann Archer",),)
SECOND: Final[Choices] = (("Bob Baker",),)
"""The two choices of an election with one question."""
ENDS: Final = (
    "already-voted",
    "post-received",
    "replaced",
    "withdrawn",
    "locked",
    "closed",
    "not-open",
    "expired",
    "timed-out",
)


@dataclass
class Voter:
    """Somebody with a pack in the hand, and a page in front of them."""

    tab: Tab
    gathering: Gathering
    elect: Elect
    code: str = field(default="", repr=False)
    clicks: int = 0

    def __post_init__(self) -> None:
        self.code = self.code or self.elect.code

    @property
    def page(self) -> Page:
        """What is in front of them."""
        return self.tab.page

    @property
    def address(self) -> str:
        """The election's path on the booth's origin."""
        return f"/{self.gathering.election_id}"

    @property
    def answers(self) -> dict[str, str]:
        """What they know by heart, by fact."""
        return answers_of(self.gathering, self.elect.elector)

    # Seeing

    async def is_at(self, step: str) -> None:
        """Wait until the page is at this step, and not busy with it."""
        await expect(self.page.locator("main")).to_have_attribute("data-step", step)
        await expect(self.page.locator(f"[data-section={step}]")).to_be_visible()

    async def step(self) -> str:
        """The step that the page is at."""
        return str(await self.page.locator("main").get_attribute("data-step"))

    def section(self, step: str) -> Locator:
        """The part of the page that belongs to a step."""
        return self.page.locator(f"[data-section={step}]")

    async def tracker(self, step: str = "check") -> str:
        """The tracker that a step shows, once it does."""
        shown = self.page.locator(f"#{step}-tracker")
        await expect(shown).to_have_text(_TRACKER)
        return (await shown.inner_text()).strip()

    # Doing

    async def arrive(self, query: str = "") -> None:
        """Open the address on the letter."""
        await self.tab.go(self.address + query)
        await self.is_at("start")

    async def begin(self) -> None:
        """Press the green button of the first page."""
        await self._press("#begin")
        await self.is_at("code")

    async def type_code(self, text: str | None = None) -> None:
        """Type the code and go on."""
        await self.page.locator("#code").fill(self.code if text is None else text)
        await self._continue("code")

    async def answer(self, changed: dict[str, str] | None = None) -> None:
        """Fill in the security questions and go on."""
        for fact, text in (self.answers | (changed or {})).items():
            await self.fill_fact(fact, text)
        await self._continue("questions")

    async def choose(self, chosen: Sequence[str]) -> None:
        """Mark exactly these answers of the question that is shown, and go on."""
        await self.mark(chosen)
        await self._continue("choose")

    async def mark(self, chosen: Sequence[str]) -> None:
        """Mark exactly these answers of the question that is shown."""
        boxes = self.section("choose").locator("label")
        for label in await boxes.all():
            box = self.page.locator(f"#{await label.get_attribute('for')}")
            if (await box.get_attribute("type")) == "radio":
                continue
            await box.set_checked((await label.inner_text()).strip() in chosen)
        for name in chosen:
            await self.section("choose").get_by_label(name, exact=True).check()

    async def get_in(self) -> None:
        """From the first page to the choice."""
        await self.arrive()
        await self.begin()
        await self.type_code()
        await self.is_at("questions")
        await self.answer()
        await self.is_at("choose")

    async def seal(self, choices: Choices = FIRST) -> str:
        """From the choice to the sealed ballot; its tracker."""
        for chosen in choices:
            await self.choose(chosen)
        await self.is_at("check")
        return await self.tracker()

    async def prepare(self, choices: Choices = FIRST) -> str:
        """Everything but casting; the tracker of the sealed ballot."""
        await self.get_in()
        return await self.seal(choices)

    async def cast(self) -> None:
        """Press "Cast your vote"."""
        await self._press("#cast")

    async def vote(self, choices: Choices = FIRST) -> str:
        """The whole way to the receipt; the tracker on it."""
        await self.prepare(choices)
        await self.cast()
        await self.is_at("receipt")
        return await self.tracker("receipt")

    async def _press(self, selector: str) -> None:
        self.clicks += 1
        await self.page.locator(selector).click()

    async def _continue(self, step: str) -> None:
        self.clicks += 1
        await self.section(step).get_by_role("button", name="Continue").click()

    async def fill_fact(self, fact: str, text: str) -> None:
        """Answer one security question."""
        if fact == "date_of_birth":
            for part, value in zip(("day", "month", "year"), text.split("/"), strict=True):
                await self.page.locator(f"#fact-date_of_birth-{part}").fill(value)
        else:
            await self.page.locator(f"#fact-{fact}").fill(text)
