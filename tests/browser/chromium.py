"""Debian's Chromium without a window, steered over its DevTools protocol; a file takes the camera's place."""

import json
import os
import shutil
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any, Self

from websockets.sync.client import connect

from demo.processes import end_with_parent, wait_or_kill

PROGRAM = "chromium"
START_S, ANSWER_S = 60.0, 30.0
OPTIONS = (
    "--headless=new",
    "--no-sandbox",  # it runs as root here
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--allow-loopback-in-peer-connection",
    "--window-size=900,760",
    "--remote-debugging-port=0",
)
"""The last but two: as on the laptop, whose agent and browser meet on loopback."""

WHERE_IS = """(() => {
  const button = [...document.querySelectorAll("button")].find(one => one.innerText === NAME);
  if (!button || !button.offsetParent) return null;
  button.scrollIntoView();
  const { x, y, width, height } = button.getBoundingClientRect();
  return [x + width / 2, y + height / 2];
})()"""


def install_chromium() -> None:
    """Debian's package where it is missing; one sentence when that can't be."""
    if shutil.which(PROGRAM):
        return
    line = "apt-get install -y --no-install-recommends chromium fonts-dejavu-core"
    if os.getuid() != 0 or not shutil.which("apt-get"):
        raise RuntimeError(f"chromium is missing; run this once: sudo {line}")
    subprocess.run(["apt-get", "update", "-qq"], check=True, timeout=180)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run([*line.split(), "-qq"], check=True, timeout=300, env=environment, stdout=subprocess.DEVNULL)


class Chromium:
    """One browser with one page, a profile of its own and, as its camera and microphone, a Y4M and a WAV file."""

    def __init__(self, picture: Path | None = None, sound: Path | None = None) -> None:
        self._profile = Path(tempfile.mkdtemp(prefix="sightline-chromium-"))
        files = [f"--use-file-for-fake-video-capture={picture}"] if picture else []
        files += [f"--use-file-for-fake-audio-capture={sound}"] if sound else []
        self._log = (self._profile / "log").open("wb")
        self.process = subprocess.Popen(
            [PROGRAM, *OPTIONS, *files, f"--user-data-dir={self._profile}", "about:blank"],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            preexec_fn=end_with_parent(os.getpid()),
        )
        try:
            self._link = connect(self._page_url(), max_size=None, compression=None, proxy=None)
        except BaseException:
            self.close()
            raise
        self._number = 0
        self.events: list[dict[str, Any]] = []
        """What was thrown, written to the console, or refused by the policy in this page."""
        for domain in ("Runtime", "Page", "Log"):
            self.call(f"{domain}.enable")

    def _page_url(self) -> str:
        port_file, deadline = self._profile / "DevToolsActivePort", time.monotonic() + START_S
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            if port_file.exists() and (lines := port_file.read_text().split()):
                with urllib.request.urlopen(f"http://127.0.0.1:{lines[0]}/json/list", timeout=ANSWER_S) as answer:
                    pages = [target for target in json.load(answer) if target["type"] == "page"]
                if pages:
                    return pages[0]["webSocketDebuggerUrl"]
            time.sleep(0.05)
        raise RuntimeError(f"chromium did not start: {(self._profile / 'log').read_text(errors='replace')[-500:]}")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """The result of a DevTools command; RuntimeError with its words when it fails."""
        self._number += 1
        self._link.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        deadline = time.monotonic() + ANSWER_S
        while True:
            message = json.loads(self._link.recv(timeout=max(0.01, deadline - time.monotonic())))
            if message.get("id") == self._number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']['message']}")
                return message["result"]
            if message.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded", "Runtime.consoleAPICalled"):
                self.events.append(message)

    def before_each_page(self, script: str) -> None:
        self.call("Page.addScriptToEvaluateOnNewDocument", source=script)

    def open(self, url: str) -> None:
        # A change of the fragment alone would load nothing.
        self.call("Page.navigate", url="about:blank")
        self.call("Page.navigate", url=url)
        self.until("document.readyState === 'complete' && location.href !== 'about:blank'")

    def run(self, script: str) -> Any:
        """The value of an expression, awaited; as if a person had just pressed something."""
        result = self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True, userGesture=True
        )
        if "exceptionDetails" in result:
            raise RuntimeError(f"{script}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def until(self, script: str, seconds: float = 30.0) -> Any:
        """The expression's value as soon as it is true."""
        deadline = time.monotonic() + seconds
        while not (value := self.run(script)):
            assert time.monotonic() < deadline, f"not within {seconds:g} s: {script}; {self.words()} {self.events[-3:]}"
            time.sleep(0.05)
        return value

    def words(self) -> str:
        """All that a person can read on the page."""
        return str(self.run("document.body ? document.body.innerText : ''"))

    def press(self, name: str) -> None:
        """The visible button of this name, with the mouse."""
        at = self.until(WHERE_IS.replace("NAME", json.dumps(name)))
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=at[0], y=at[1], button="left", clickCount=1)

    def close(self) -> None:
        if hasattr(self, "_link"):
            self._link.close()
        self.process.terminate()
        wait_or_kill(self.process, 10)
        self._log.close()
        shutil.rmtree(self._profile, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
