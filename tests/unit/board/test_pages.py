"""The declaration's page: every word escaped, every number there, nothing that runs."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import msgspec

from ballots import declaration
from services.board import pages
from shared.contracts.board import ArchiveCompleted
from shared.testing.board import Polls

POLLS = Polls("pages", voters=5)
COMPLETED = ArchiveCompleted(
    election_id=POLLS.election_id,
    archive_sha256="ab" * 32,
    archive_bytes=123_456,
    entries=12,
    root="cd" * 32,
)


class Seen(HTMLParser):
    """The elements and the words of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.words: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def declared(**changes: Any) -> declaration.Declaration:
    return msgspec.structs.replace(
        declaration.parse(POLLS.declared(COMPLETED).declaration.encode()), **changes
    )


def test_the_page_says_what_the_document_says() -> None:
    """Votes by channel, turnout, balances and marks are there to read."""
    raw = declaration.encode(declared(cases={"second_vote": 2}))
    words = Seen(pages.declaration(raw)).words
    for word in ("Leader", "A", "B", "3", "2", "5", "123,456", "ab" * 32, "Second vote"):
        assert word in words
    assert declaration.digest(raw) in words


def test_no_word_of_the_document_becomes_a_part_of_the_page() -> None:
    """A title, an answer or a reason that looks like HTML is only text."""
    evil = '<script>alert(1)</script><img src="x" onerror="alert(1)">'
    answer = declaration.AnswerCount(answer=evil, online=1, post=0, total=1)
    question = declaration.QuestionCount(question=evil, answers=[answer], blank=None)
    raw = declaration.encode(declared(title=evil, organisation=evil, questions=[question]))
    seen = Seen(pages.declaration(raw))
    assert not {"script", "img"} & set(seen.tags)
    assert seen.words.count(evil) >= 3


def test_a_document_that_is_not_known_is_shown_as_it_is() -> None:
    """A later version is still readable, and still only text."""
    seen = Seen(pages.declaration(b'{"version":2,"x":"<b>"}'))
    assert '{"version":2,"x":"<b>"}' in seen.words
    assert "b" not in seen.tags


def test_the_page_runs_nothing_and_loads_nothing() -> None:
    """Its policy allows its own style sheet only, and it has no address of another host."""
    page = pages.declaration(declaration.encode(declared()))
    assert pages.STYLE_HASH in pages.POLICY
    assert "script-src" not in pages.POLICY
    assert "default-src 'none'" in pages.POLICY
    links = [value for name, value in Seen(page).attributes if name in ("href", "src")]
    assert set(links) == {"declaration", "archive", "board", "checkpoint"}
