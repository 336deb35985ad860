"""A stand-in for a service process: answers /readyz, and misbehaves as its arguments say.

Usage: fake_service.py ADMIN_PORT [dies-once FLAG_FILE | deaf]
"""

from __future__ import annotations

import json
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path


class Ready(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/readyz" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Silence: the log is the service's own."""


def say(event: str, level: str = "info") -> None:
    sys.stdout.write(json.dumps({"event": event, "level": level}) + "\n")
    sys.stdout.flush()


def main(port: int, behaviour: list[str]) -> None:
    say("started")
    if behaviour[:1] == ["dies-once"] and not Path(behaviour[1]).exists():
        Path(behaviour[1]).touch()
        say("no database", "error")
        raise SystemExit(7)
    server = HTTPServer(("127.0.0.1", port), Ready)
    if behaviour == ["deaf"]:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    else:
        stop = threading.Thread(target=server.shutdown)
        signal.signal(signal.SIGTERM, lambda *_: stop.start())
    server.serve_forever(poll_interval=0.02)
    server.server_close()
    say("ended")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
