"""What a request that asks for no websocket gets: a page, how the server is, or that there is no such thing."""

import http
import json
from collections.abc import Mapping
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from ..establishment import Establishment
from ..estate import Estate
from ..web.pages import Page


def by_path(
    estate: Estate, paths: tuple[str, ...], pages: Mapping[str, Page], connection: ServerConnection, request: Request
) -> Response | None:
    """Websockets by their path; `pages`; `/health` and `/health/CODE` for whoever looks after the server."""
    if request.path in paths:
        return None
    page = pages.get(request.path)
    if page is not None:
        return Response(http.HTTPStatus.OK.value, http.HTTPStatus.OK.phrase, Headers(page.headers), page.body)
    of_all = {"audit_writable": estate.writer.writable}
    if request.path == "/health":
        health = of_all | {"establishments": {place.code: _health(place) for place in estate.places}}
        return connection.respond(http.HTTPStatus.OK, json.dumps(health) + "\n")
    place = estate.place(request.path.removeprefix("/health/"))
    if place is not None:
        health = of_all | {"establishment": place.code} | _health(place)
        return connection.respond(http.HTTPStatus.OK, json.dumps(health) + "\n")
    return connection.respond(http.HTTPStatus.NOT_FOUND, f"{request.path} does not exist; {', '.join(paths)} do.\n")


def _health(place: Establishment) -> dict[str, Any]:
    """Numbers only: no name and no call of anybody."""
    states = [str(call.state) for call in place.calls.values()]
    return {
        "laptops": len(place.laptops),
        "consoles": len(place.fanout.watchers),
        "calls": {state: states.count(state) for state in sorted(set(states))},
    }
