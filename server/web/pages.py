"""The plain pages of a call's two ends, and what they load: a closed set, read once at the start."""

from dataclasses import dataclass
from pathlib import Path
from string import Template

from . import wire_table

FOLDER = Path(__file__).parent / "pages"
PAGES = {
    "/room": {
        "place": "room",
        "words": "This room is getting ready for its video call.",
        "leave": "End the call",
    },
    "/family": {
        "place": "family",
        "words": "You are about to join a video call.",
        "leave": "Leave the call",
    },
}
"""Path -> what page.html says there."""
KINDS = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
"""Scripts, styles and links of this server alone; no frame around the page, and no text that becomes a script."""
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Permissions-Policy": "camera=(self), microphone=(self), display-capture=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
    "Connection": "close",
}


@dataclass(frozen=True)
class Page:
    headers: dict[str, str]
    body: bytes


def load() -> dict[str, Page]:
    """Path -> page. The token of a page's link stands in its fragment, which no server is told."""
    files = {f"/pages/{file.name}": file for file in FOLDER.iterdir() if file.suffix in (".js", ".css")}
    pages = {path: _page(file.suffix, file.read_bytes()) for path, file in files.items()}
    page = Template((FOLDER / "page.html").read_text(encoding="utf-8"))
    pages |= {path: _page(".html", page.substitute(says).encode()) for path, says in PAGES.items()}
    pages["/pages/wire.js"] = _page(".js", wire_table.module().encode())
    return pages


def _page(suffix: str, body: bytes) -> Page:
    about = {"Content-Type": f"{KINDS[suffix]}; charset=utf-8", "Content-Length": str(len(body))}
    return Page(about | HEADERS, body)
