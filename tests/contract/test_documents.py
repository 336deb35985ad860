"""The published documents: complete, well-formed, and the same as the code."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from shared.contracts.documents import asyncapi, documents, main, messages_in_order
from shared.contracts.message import REGISTRY
from shared.contracts.topics import TOPICS

DOCS = Path(__file__).parents[2] / "docs"
DOCUMENT = asyncapi()


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for inner in part.values():
            yield from references(inner)
    if isinstance(part, list):
        for inner in part:
            yield from references(inner)


def resolve(reference: str) -> Any:
    part: Any = DOCUMENT
    for step in reference.removeprefix("#/").split("/"):
        part = part[step.replace("~1", "/").replace("~0", "~")]
    return part


@pytest.mark.parametrize("name", documents())
def test_it_is_current(name: str) -> None:
    """Who reads docs/ reads what the code does. If this fails, run `make docs`."""
    assert (DOCS / name).read_text() == documents()[name]


def test_writing_the_documents_writes_all_of_them(tmp_path: Path) -> None:
    """`make docs` needs nothing but the code."""
    assert main([str(tmp_path / "new")]) == 0
    written = {path.name: path.read_text() for path in (tmp_path / "new").iterdir()}
    assert written == documents()


def test_every_type_and_topic_is_in_it_once() -> None:
    """A frontend's author finds every message, under one name, on one channel."""
    assert set(DOCUMENT["components"]["messages"]) == set(REGISTRY)
    assert list(DOCUMENT["channels"]) == [topic.name for topic in TOPICS]
    placed = [name for channel in DOCUMENT["channels"].values() for name in channel["messages"]]
    assert sorted(placed) == sorted(REGISTRY)


def test_every_message_has_one_operation_of_its_producer() -> None:
    """The document says who says it."""
    said = [
        (operation["channel"]["$ref"], message["$ref"].rpartition("/")[2], name)
        for name, operation in DOCUMENT["operations"].items()
        for message in operation["messages"]
    ]
    assert len(said) == len(REGISTRY)
    for channel, message, operation in said:
        about = REGISTRY[message].CONTRACT
        assert channel == f"#/channels/{about.topic.name}"
        assert operation == f"{about.producer}-says-on-{about.topic.name}"


def test_it_has_the_structure_of_asyncapi_3() -> None:
    """Programs that know AsyncAPI 3 can read it, and every reference leads somewhere."""
    assert DOCUMENT["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= set(DOCUMENT["info"])
    for channel in DOCUMENT["channels"].values():
        assert channel["address"]
        assert channel["bindings"]["kafka"]["partitions"] >= 1
    for operation in DOCUMENT["operations"].values():
        assert operation["action"] == "send"
        inside = f"{operation['channel']['$ref']}/messages/"
        assert all(message["$ref"].startswith(inside) for message in operation["messages"])
    assert {reference for reference in references(DOCUMENT) if resolve(reference) is None} == set()


@pytest.mark.parametrize("kind", messages_in_order(), ids=lambda kind: kind.__name__)
def test_its_schemas_are_schemas(kind: Any) -> None:
    """Header and payload schemas are valid JSON Schema, and closed: no field more."""
    message = DOCUMENT["components"]["messages"][kind.CONTRACT.name]
    Draft202012Validator.check_schema(message["headers"])
    Draft202012Validator.check_schema({**message["payload"], "components": DOCUMENT["components"]})
    assert message["headers"]["additionalProperties"] is False
    assert resolve(message["payload"]["$ref"])["additionalProperties"] is False
    assert ("ce_signature" in message["headers"]["required"]) == kind.CONTRACT.is_signed


def test_the_catalogue_names_every_type_with_its_fields() -> None:
    """A person finds every message and field in docs/messages.md."""
    text = documents()["messages.md"]
    for kind in messages_in_order():
        section = text.partition(f"### {kind.__name__}\n")[2].partition("\n### ")[0]
        for field in kind.__struct_fields__:
            assert f"| `{field}` |" in section, (kind.__name__, field)


def test_it_is_json() -> None:
    """asyncapi.json is what the code describes, byte by byte the same on every machine."""
    assert json.loads(documents()["asyncapi.json"]) == json.loads(json.dumps(DOCUMENT))
