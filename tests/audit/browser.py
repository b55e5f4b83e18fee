# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A page in a headless Chromium, which is spoken to by its DevTools protocol over a pipe."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import itertools
import json
import os
import select
import shutil
import subprocess
import time
import typing as t
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
TIMEOUT_SECONDS = 60

Answer = dict[str, t.Any]


def chromium() -> str | None:
    """Return the path of a Chromium, or None if there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Page:
    """A page. `requests` are the URLs that it asked for, `complaints` what it reports."""

    def __init__(self, commands: int, events: int) -> None:
        self._commands = commands
        self._events = events
        self._numbers = itertools.count(1)
        self._buffer = b""
        self._session: str | None = None
        self._loaded = False
        self.requests: list[str] = []
        self.complaints: list[str] = []

    def attach(self) -> None:
        """Open a blank tab."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        answer = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = str(answer["sessionId"])
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: t.Any) -> Answer:
        """Call a method of the protocol and return its result. Raises RuntimeError for an error."""
        number = next(self._numbers)
        message: Answer = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while True:
            answer = self._read(deadline)
            if answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                result: Answer = answer["result"]
                return result

    def open(self, path: Path, *, scripts: bool = True) -> float:
        """Open a file, and return after how many seconds it was there to be used.

        Nothing can be evaluated in a page without scripts.
        """
        self.call("Emulation.setScriptExecutionDisabled", value=not scripts)
        self._loaded = False
        self.requests.clear()
        self.complaints.clear()
        begin = time.perf_counter()
        self.call("Page.navigate", url=path.as_uri())
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while not self._loaded:
            self._read(deadline)
        if scripts:
            self.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
        return time.perf_counter() - begin

    def evaluate(self, expression: str) -> t.Any:
        """Return the value of a JavaScript expression, awaited if it is a promise."""
        answer = self.call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in answer:
            raise RuntimeError(str(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def emulate(
        self, *, width: int = 1280, height: int = 900, dark: bool = False, paper: bool = False
    ) -> None:
        """Set the size of the window, which colours the user prefers, and screen or paper."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call(
            "Emulation.setEmulatedMedia", media="print" if paper else "screen", features=[scheme]
        )

    def screenshot(self, path: Path) -> None:
        """Write what the window shows as a PNG."""
        answer = self.call("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(answer["data"]))

    def busy(self) -> float:
        """Return for how many seconds of processor time the page has kept its main thread busy.

        Other programs on the machine do not change it.
        """
        self.call("Performance.enable", timeDomain="threadTicks")
        metrics = self.call("Performance.getMetrics")["metrics"]
        return float(next(item["value"] for item in metrics if item["name"] == "TaskDuration"))

    def _read(self, deadline: float) -> Answer:
        while b"\0" not in self._buffer:
            ready, _out, _err = select.select(
                [self._events], [], [], max(0, deadline - time.monotonic())
            )
            part = os.read(self._events, 1 << 20) if ready else b""
            if not part:
                raise RuntimeError("the browser does not answer")
            self._buffer += part
        line, _nul, self._buffer = self._buffer.partition(b"\0")
        answer: Answer = json.loads(line)
        self._note(answer.get("method"), answer.get("params", {}))
        return answer

    def _note(self, method: str | None, event: Answer) -> None:
        if method == "Page.loadEventFired":
            self._loaded = True
        elif method == "Network.requestWillBeSent":
            self.requests.append(event["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(event["exceptionDetails"]["text"])
        elif method == "Log.entryAdded":
            self.complaints.append(event["entry"]["text"])


@contextlib.contextmanager
def page(program: str, folder: Path) -> t.Iterator[Page]:
    """Start a browser with a profile in a folder, until the block ends."""
    theirs_in, commands = os.pipe()
    events, theirs_out = os.pipe()

    def connect() -> None:
        """Give the browser its ends of the pipes as files 3 and 4, where it looks for them."""
        ends = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (theirs_in, theirs_out)]
        for number, end in enumerate(ends, 3):
            os.dup2(end, number)

    process = subprocess.Popen(
        [
            *(program, "--headless=new", "--remote-debugging-pipe", f"--user-data-dir={folder}"),
            *("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"),
            *("--disable-background-networking", "--disable-component-update"),
        ],
        close_fds=False,
        preexec_fn=connect,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(theirs_in)
    os.close(theirs_out)
    try:
        opened = Page(commands, events)
        opened.attach()
        yield opened
    finally:
        process.terminate()
        process.wait(30)
        os.close(commands)
        os.close(events)
