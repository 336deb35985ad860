"""What of a page could act, told in one form; and pages that hide something are refused."""

from __future__ import annotations

import pytest

from shared.testing.promises import promise
from shared.web import markup


def test_elements_that_act_are_told_in_their_order() -> None:
    """However they are spelt; the content of a script is part of it, data in one isn't."""
    page = (
        b"<!doctype html><html><head><META charset=utf-8><link href='/a' rel=\"icon\">"
        b'<script type="importmap">{}</script><script src=/x></script>'
        b'<script type="application/json" id="data">{"a": "&lt;b&gt;"}</script></head></html>'
    )
    found = markup.read(page)
    assert found.refused == []
    assert found.active == [
        'meta charset="utf-8"',
        'link href="/a" rel="icon"',
        'script type="importmap" sha256-'
        "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
        'script src="/x"',
    ]


@pytest.mark.parametrize(
    "hidden",
    [
        b"<!-- <p> -->",
        b"<![CDATA[x]]>",
        b'<p title="<script src=/x>">x</p>',
        b"<p title='<link href=/x>'>x</p>",
        b"<marquee>x</marquee>",
        b"<svg><animate href=/x></animate></svg>",
        b"<a href=/x href=/y>x</a>",
        b"<a href='data:text/html,x'>x</a>",
        b"<a href=' j\tava\nscript:x()'>x</a>",
        b"<input onfocus=x()>",
        b"<form action=/x></form>",
        b"<a ping=/x href=/y>x</a>",
        b"<template><iframe></iframe></template>",
    ],
)
def test_what_no_page_of_ours_has_is_refused(hidden: bytes) -> None:
    """Also what two parsers would read differently: the bytes are searched as well."""
    assert markup.read(b"<!doctype html><body>" + hidden).refused


_GENUINE = b"<!doctype html><body><main>Vote</main></body>"


@promise("P8")
@pytest.mark.parametrize(
    "page",
    [
        "\ufeff<!doctype html><script src=/evil.js></script><!--".encode("utf-16-be") + _GENUINE,
        "\ufeff<!doctype html><script src=/evil.js></script><!--".encode("utf-16-le") + _GENUINE,
        b"\xef\xbb\xbf" + _GENUINE,
        b" " + _GENUINE,
        _GENUINE.replace(b"Vote", b"V\0te"),
        _GENUINE.replace(b"Vote", b"\x1b(JVote"),
        _GENUINE.replace(b"Vote", b"\xc0\xbcscript>"),
    ],
)
def test_a_page_in_other_signs_than_it_seems_is_refused(page: bytes) -> None:
    """A mark in front of all makes a browser read UTF-16, whatever the header says."""
    assert markup.read(_GENUINE).refused == []
    assert markup.read(page).refused


def test_where_links_lead_is_told() -> None:
    """Places beyond the site, and telephones; the site's own paths aren't listed."""
    page = b'<a href="/x">a</a><a href="//e.example/y">b</a><a href="tel:1">c</a><a href="#d">d</a>'
    assert markup.read(page).leads_to == ["://e.example", "tel:"]
