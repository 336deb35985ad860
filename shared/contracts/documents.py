"""AsyncAPI 3 and a catalogue for people, both from the registry of messages.

Promises that the documents name every type, topic, producer and field pattern that the code
checks, and nothing else. `python -m shared.contracts.documents docs/` writes them; a test fails
when they are out of date.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from shared.contracts import (  # noqa: F401  (importing a module registers its messages)
    codes,
    elections,
    gateway,
    identity,
    monitor,
    postal,
    quarantine,
    votes,
)
from shared.contracts.fields import EventId
from shared.contracts.message import REGISTRY, Contract, Message
from shared.contracts.topics import TOPICS, Topic

VERSION = "1.0.0"
_SCHEMA = "#/components/schemas/{name}"
_HEADER_PATTERNS = {"ce_specversion": "^1\\.0$", "content-type": "^application/json$"}


def messages_in_order() -> list[type[Message]]:
    """Every message type, by module and place in it, whatever was imported first."""
    return sorted(REGISTRY.values(), key=lambda kind: kind.__module__)


def asyncapi() -> dict[str, Any]:
    """The AsyncAPI 3.0 document of everything on Kafka."""
    kinds = messages_in_order()
    payloads, schemas = msgspec.json.schema_components(kinds, ref_template=_SCHEMA)
    messages = {
        kind.CONTRACT.name: _message(kind, payload)
        for kind, payload in zip(kinds, payloads, strict=True)
    }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Castonce on Kafka",
            "version": VERSION,
            "description": "CloudEvents 1.0 in Kafka's binary mode. No personal data, ever.",
        },
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(topic) for topic in TOPICS},
        "operations": _operations(),
        "components": {"messages": messages, "schemas": schemas},
    }


def catalogue() -> str:
    """The catalogue of messages in Markdown: by topic, who says what, and its fields."""
    parts = [_CATALOGUE_HEAD, *(_topic_section(topic) for topic in TOPICS)]
    return "\n".join(parts)


def documents() -> dict[str, str]:
    """File names with their content, as they belong into `docs/`."""
    pretty = msgspec.json.format(msgspec.json.encode(asyncapi()), indent=2).decode()
    return {"asyncapi.json": pretty + "\n", "messages.md": catalogue()}


def _message(kind: type[Message], payload: dict[str, Any]) -> dict[str, Any]:
    about = kind.CONTRACT
    return {
        "name": about.name,
        "title": kind.__name__,
        "summary": _sentence(kind),
        "contentType": "application/json",
        "headers": _headers(about),
        "payload": payload,
    }


def _headers(about: Contract) -> dict[str, Any]:
    texts = _HEADER_PATTERNS | {"ce_type": f"^{about.name.replace('.', '[.]')}$"}
    event_id, _ = msgspec.json.schema_components([EventId])
    properties: dict[str, Any] = {
        name: {"type": "string", "pattern": pattern} for name, pattern in sorted(texts.items())
    }
    properties["ce_id"] = event_id[0]
    properties["ce_source"] = {"type": "string"}
    if about.producer != "any":
        properties["ce_source"]["const"] = about.producer
    required = sorted(properties)
    if about.is_signed:
        properties["ce_signature"] = {
            "type": "string",
            "description": "Ed25519 signature of the producer, 64 raw bytes.",
        }
        required.append("ce_signature")
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _channel(topic: Topic) -> dict[str, Any]:
    return {
        "address": topic.name,
        "description": topic.purpose,
        "messages": {
            about.name: {"$ref": f"#/components/messages/{about.name}"} for about in _said(topic)
        },
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": {
                    "cleanup.policy": ["delete"],
                    "retention.ms": topic.retention_ms,
                },
                "bindingVersion": "0.5.0",
            }
        },
    }


def _operations() -> dict[str, Any]:
    made: dict[str, Any] = {}
    for topic in TOPICS:
        for about in _said(topic):
            name = f"{about.producer}-says-on-{topic.name}"
            channel = f"#/channels/{topic.name}"
            operation = made.setdefault(
                name, {"action": "send", "channel": {"$ref": channel}, "messages": []}
            )
            operation["messages"].append({"$ref": f"{channel}/messages/{about.name}"})
    return made


def _said(topic: Topic) -> list[Contract]:
    return [kind.CONTRACT for kind in messages_in_order() if kind.CONTRACT.topic is topic]


def _sentence(kind: type[Message]) -> str:
    return " ".join((kind.__doc__ or "").split())


_CATALOGUE_HEAD = """\
# What is said on Kafka

Generated from `shared/contracts/` by `make docs`; [asyncapi.json](asyncapi.json) has the same for
programs. Every message is a CloudEvent in Kafka's binary mode with compact JSON in one canonical
spelling. A record of a signed type carries its producer's Ed25519 signature; one that doesn't hold
is not believed. No message holds a person's particulars, and none holds both a right and a tracker.
"""


def _topic_section(topic: Topic) -> str:
    kept = "for ever (law)" if topic.is_law else f"{topic.retention_ms // 60_000} minutes"
    lines = [
        f"## {topic.name}\n",
        f"{topic.purpose} {topic.partitions} partitions, kept {kept}.\n",
    ]
    kinds = [kind for kind in messages_in_order() if kind.CONTRACT.topic is topic]
    if not kinds:
        return "\n".join([*lines, "Nobody writes here yet.\n"])
    return "\n".join([*lines, *(_message_section(kind) for kind in kinds)])


def _message_section(kind: type[Message]) -> str:
    about = kind.CONTRACT
    signed = ", signed" if about.is_signed else ""
    by = "any service" if about.producer == "any" else f"`{about.producer}`"
    schema = msgspec.json.schema(kind)
    own = schema["$defs"][kind.__name__]
    rows = [
        f"| `{name}` | {_form(form, schema['$defs'])} | {form.get('description', '')} |"
        for name, form in own["properties"].items()
    ]
    head = ["| field | form | |", "|---|---|---|"]
    title = f"### {kind.__name__}\n\nBy {by}{signed}. {_sentence(kind)}\n"
    return "\n".join([title, *head, *rows, ""])


def _form(form: dict[str, Any], definitions: dict[str, Any]) -> str:
    """A schema in a few words, for a table."""
    if "$ref" in form:
        name = form["$ref"].rpartition("/")[2]
        inner = ", ".join(f"`{field}`" for field in definitions[name]["properties"])
        return f"{name} ({inner})"
    if "enum" in form:
        return " or ".join(f"`{word}`" for word in form["enum"])
    if form.get("type") == "array":
        return f"list of {_form(form['items'], definitions)}{_bounds(form, 'Items')}"
    if "pattern" in form:
        pattern: str = form["pattern"]
        return "`" + pattern.replace("|", "\\|") + "`"
    return f"{form.get('type', 'any JSON')}{_bounds(form, 'Length')}{_range(form)}"


def _bounds(form: dict[str, Any], what: str) -> str:
    low, high = form.get(f"min{what}"), form.get(f"max{what}")
    if high is None:
        return ""
    return f", {low or 0} to {high}"


def _range(form: dict[str, Any]) -> str:
    low = form.get("minimum")
    if low is None:
        return ""
    high = form.get("maximum", form.get("exclusiveMaximum"))
    return f", from {low}" if high is None else f", {low} to {high}"


def main(arguments: Sequence[str]) -> int:
    """Write the documents into the folder named; exit status 0."""
    folder = Path(arguments[0] if arguments else "docs")
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in documents().items():
        (folder / name).write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
