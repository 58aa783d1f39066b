"""A page in Chromium, driven over its DevTools protocol on two pipes: no package is needed."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

PROGRAM = shutil.which("chromium")
_FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-dev-shm-usage", "--remote-debugging-pipe"),
)

_READY = """document.readyState == "complete" && location.protocol == "file:" &&
    [...document.querySelectorAll(".live")].every(each => each.querySelector("svg"))"""


class Page:
    """A page and what it has said so far.

    Attributes:
        complaints: texts of errors and warnings on the console, and of exceptions.
        requests: addresses that it asked for.
    """

    def __init__(self, reading: int, writing: int) -> None:
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self._reading, self._writing = reading, writing
        self._rest = b""
        self._number = 0
        self._session = ""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        found = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = found["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """Call a method of the protocol and return its result."""
        self._number += 1
        message: dict[str, object] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._writing, json.dumps(message).encode() + b"\0")
        while True:
            found = self._receive()
            if found.get("id") == self._number:
                assert "error" not in found, found["error"]
                result: dict[str, Any] = found["result"]
                return result

    def open(self, path: Path) -> None:
        """Open a file and wait until it is loaded and all charts are drawn."""
        self.call("Page.navigate", url=path.as_uri())
        # Asked again and again: a promise of a page without scripts is never kept.
        while not self.value(_READY):
            time.sleep(0.1)

    def value(self, expression: str) -> Any:
        """Return the value of an expression, that of its promise if it is one."""
        found = self.call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def resize(self, width: int, height: int = 900) -> None:
        """Give the window another size in pixels."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            **{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
        )

    def prefer(self, scheme: str) -> None:
        """Prefer ``dark`` or ``light`` colors."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", features=features)

    def press(self, key: str, code: int) -> None:
        """Press and release a key, such as ``Tab`` with code 9."""
        text = {"text": "\r"} if key == "Enter" else {}
        common = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        self.call("Input.dispatchKeyEvent", type="keyDown", **common, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    def point(self, x: float, y: float) -> None:
        """Move the pointer."""
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def picture(self, whole: bool = True) -> bytes:
        """Return a PNG file of the page."""
        found = self.call("Page.captureScreenshot", captureBeyondViewport=whole)
        return base64.b64decode(found["data"])

    def pdf(self) -> bytes:
        """Return the page as it is printed."""
        found = self.call("Page.printToPDF", printBackground=False)
        return base64.b64decode(found["data"])

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            part = os.read(self._reading, 1 << 20)
            assert part, "Chromium ended"
            self._rest += part
        line, self._rest = self._rest.split(b"\0", 1)
        message: dict[str, Any] = json.loads(line)
        parameters = message.get("params", {})
        if message.get("method") == "Runtime.consoleAPICalled":
            texts = [str(each.get("value", each)) for each in parameters["args"]]
            if parameters["type"] in ("error", "warning", "assert"):
                self.complaints.append(" ".join(texts))
        elif message.get("method") == "Runtime.exceptionThrown":
            self.complaints.append(str(parameters["exceptionDetails"]))
        elif message.get("method") == "Log.entryAdded":
            self.complaints.append(str(parameters["entry"]["text"]))
        elif message.get("method") == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])
        return message


@contextmanager
def page(profile: Path) -> Iterator[Page]:
    """Start Chromium and yield an empty page.

    Args:
        profile: folder for what it keeps.
    """
    assert PROGRAM is not None
    in_child, to_child = os.pipe()
    from_child, out_child = os.pipe()

    def place() -> None:
        # Above the places first: one may lie where the other goes.
        reading, writing = os.dup2(in_child, 20), os.dup2(out_child, 21)
        os.dup2(reading, 3)
        os.dup2(writing, 4)

    command = [PROGRAM, *_FLAGS, f"--user-data-dir={profile}"]
    process = subprocess.Popen(
        command, preexec_fn=place, close_fds=False, stderr=subprocess.DEVNULL
    )
    os.close(in_child)
    os.close(out_child)
    try:
        yield Page(from_child, to_child)
    finally:
        process.kill()
        process.wait()
        for each in (to_child, from_child):
            with suppress(OSError):
                os.close(each)
