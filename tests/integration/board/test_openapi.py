"""schemathesis against the board's own OpenAPI document: what is documented is what happens."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

from tests.integration.board.conftest import Hall

EXAMPLES = 15
SECONDS = 240


async def test_the_listener_keeps_what_its_document_says(hall: Hall, tmp_path: Path) -> None:
    """No 500, no undocumented status, no answer outside its schema, whatever is asked."""
    polls = hall.polls("documented", voters=2)
    await hall.declared(polls)
    status, document, _ = await hall.get("/openapi.json")
    assert status == 200
    path = tmp_path / "openapi.json"
    path.write_bytes(document)
    command = [
        sys.executable, "-m", "schemathesis.cli", "run", str(path),
        "--url", hall.url,
        "--checks",
        "not_a_server_error,status_code_conformance,content_type_conformance,"
        "response_schema_conformance",
        "--max-examples", str(EXAMPLES),
        "--seed", "11",
        "--no-color",
        "--suppress-health-check", "all",
    ]  # fmt: skip
    done = await asyncio.to_thread(
        subprocess.run, command, cwd=tmp_path, capture_output=True, text=True, check=False,
        timeout=SECONDS,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6_000:] + done.stderr[-2_000:]
