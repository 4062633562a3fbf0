"""The server gives out its pages, whole and with their policy, and nothing else of its folder."""

import http.client
from collections.abc import Iterator

import pytest

from server.web import pages
from tests.server_rig import Server, running_server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("pages")) as one:
        yield one


def fetch(server: Server, path: str) -> tuple[http.client.HTTPResponse, bytes]:
    link = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        link.request("GET", path)
        answer = link.getresponse()
        return answer, answer.read()
    finally:
        link.close()


def test_each_page_comes_whole_with_its_headers(server: Server) -> None:
    for path, page in pages.load().items():
        answer, body = fetch(server, path)
        assert (answer.status, body) == (200, page.body), path
        assert {name: answer.getheader(name) for name in page.headers} == page.headers


@pytest.mark.parametrize(
    "path", ["/pages/", "/pages/pages.py", "/pages/../pages.py", "/pages/%2e%2e/pages.py", "/pages/page.html", "/"]
)
def test_nothing_else_is_given_out(server: Server, path: str) -> None:
    answer, body = fetch(server, path)
    assert answer.status == 404 and b"import" not in body


def test_pages_are_no_refusals(server: Server) -> None:
    fetch(server, "/family")
    assert server.log.read_text().count("refused") == 0
