"""Serve one file by ranges on loopback, in a process of its own: GDAL holds the interpreter while it waits.

    python range_server.py FILE ANSWERS [DROPPED]

Prints its port. After so many answers it fails until there is a file FILE.mended. The answer of the number DROPPED
breaks off in the middle.
"""

import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class Handler(BaseHTTPRequestHandler):
    """HEAD and GET with a Range."""

    path_served, answers, dropped = Path(), 0.0, 0
    answered = 0

    def do_HEAD(self) -> None:
        if not self._is_asked():  # GDAL asks for files beside it
            self.send_error(404)
            return
        self._answer(b"", self.path_served.stat().st_size, 200)

    def do_GET(self) -> None:
        if not self._is_asked():
            self.send_error(404)
            return
        Handler.answered += 1
        if self.answered > self.answers and not Path(f"{self.path_served}.mended").exists():
            self.send_error(404)
            return
        whole = self.path_served.read_bytes()
        found = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        begin, end = (int(found[1]), int(found[2] or len(whole) - 1) + 1) if found else (0, len(whole))
        part = whole[begin:end]
        span = {"Content-Range": f"bytes {begin}-{begin + len(part) - 1}/{len(whole)}"} if found else {}
        if self.answered == self.dropped:
            self._answer(part[: len(part) // 2], len(part), 206, **span)
            self.connection.close()
            return
        self._answer(part, len(part), 206 if found else 200, **span)

    def _is_asked(self) -> bool:
        return self.path.endswith(f"/{self.path_served.name}")  # in any bucket

    def _answer(self, body: bytes, length: int, status: int, **headers: str) -> None:
        self.send_response(status)
        for name, text in {"Content-Length": str(length), "Accept-Ranges": "bytes", **headers}.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


if __name__ == "__main__":
    Handler.path_served, Handler.answers = Path(sys.argv[1]), float(sys.argv[2])
    Handler.dropped = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        print(server.server_port, flush=True)
        server.serve_forever()
