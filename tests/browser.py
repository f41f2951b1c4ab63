"""Drive a page in Chromium by its debugging protocol, for tests of what people click on."""

import asyncio
import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

PORT_FILE = "DevToolsActivePort"
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0", "--remote-allow-origins=*")


class Tab:
    """One page: evaluate expressions, press keys."""

    def __init__(self, socket: Any) -> None:
        self._socket, self._count = socket, 0
        self.errors: list[str] = []
        self.addresses: list[str] = []

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its result; errors and addresses that the page asks for meanwhile are kept."""
        self._count += 1
        await self._socket.write_message(json.dumps({"id": self._count, "method": method, "params": parameters}))
        while True:
            message = json.loads(await self._socket.read_message())
            if message.get("method") == "Runtime.exceptionThrown":
                self.errors.append(json.dumps(message["params"]))
            if message.get("method") == "Network.requestWillBeSent":
                self.addresses.append(message["params"]["request"]["url"])
            if message.get("id") == self._count:
                return message.get("result", {})

    async def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression."""
        found = await self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        return found["result"].get("value")

    async def press(self, key: str) -> None:
        """Press and release a key."""
        for kind in ("keyDown", "keyUp"):
            await self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key)


def browse(page: Path, folder: Path, visit: Callable[[Tab], Coroutine[Any, Any, None]]) -> Tab:
    """Open a file in Chromium, let `visit` act, and return the tab with errors and addresses that it asked for.

    Args:
        page: The file.
        folder: Where the browser may write; downloads land in it.
        visit: What to do.
    """
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium")
    command = [program, *FLAGS, f"--user-data-dir={folder / 'profile'}", "about:blank"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        try:
            return asyncio.run(_visit(page, folder, visit))
        finally:
            process.terminate()


async def _visit(page: Path, folder: Path, visit: Callable[[Tab], Coroutine[Any, Any, None]]) -> Tab:
    websocket = pytest.importorskip("tornado.websocket")
    tab = Tab(await websocket.websocket_connect(_address(folder / "profile" / PORT_FILE)))
    for domain in ("Runtime", "Page", "Network"):
        await tab.call(f"{domain}.enable")
    await tab.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder))
    await tab.call("Page.navigate", url=page.as_uri())
    await asyncio.sleep(0.5)
    await visit(tab)
    return tab


def _address(port_file: Path) -> str:
    for _ in range(150):
        if port_file.exists() and (lines := port_file.read_text().splitlines()):
            with urllib.request.urlopen(f"http://127.0.0.1:{lines[0]}/json") as answer:
                pages = [found for found in json.load(answer) if found["type"] == "page"]
            if pages:
                return pages[0]["webSocketDebuggerUrl"]
        time.sleep(0.1)
    raise TimeoutError("Chromium does not answer")
