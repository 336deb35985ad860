"""schemathesis against the gateway's own OpenAPI document: what is documented is what happens."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

EXAMPLES = 15
SECONDS = 240


async def test_the_interface_keeps_what_its_document_says(
    voter, office, open_election, tmp_path: Path
) -> None:
    """No 500, no undocumented status, no answer outside its schema, whatever is sent."""
    document = await voter.get("/api/openapi.json")
    assert document.body["openapi"] == "3.1.0"
    path = tmp_path / "openapi.json"
    path.write_bytes(document.raw)
    command = [
        sys.executable, "-m", "schemathesis.cli", "run", str(path),
        "--url", voter.url,
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
