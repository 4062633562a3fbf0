"""The bad line of the browsers' tests does what it says, and the same each time."""

import socket
import time

import pytest

from tests.browser.bad_line import BadLine

PACKETS = 400


def cross(line: BadLine) -> tuple[list[int], list[float]]:
    """(numbers that arrived at the far end, how long each took in s); the near end sends 400 packets."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as near,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as far,
    ):
        far.settimeout(2)
        far.sendto(b"0", ("127.0.0.1", line.far_port))  # it is the far end from now on
        time.sleep(0.05)
        for number in range(PACKETS):
            near.sendto(f"{number} {time.monotonic()}".encode(), ("127.0.0.1", line.near_port))
            if number % 20 == 19:
                time.sleep(0.002)
        arrived, took = [], []
        deadline = time.monotonic() + 10
        while len(arrived) < PACKETS - line.count["near lost"] or line.count["near"] < PACKETS:
            assert time.monotonic() < deadline
            number, sent_at = far.recv(100).split()
            arrived.append(int(number))
            took.append(time.monotonic() - float(sent_at))
        return arrived, took


@pytest.mark.parametrize("loss", [0.0, 0.1])
def test_the_same_packets_are_lost_each_time_and_the_others_come_later_in_order(loss: float) -> None:
    runs = []
    for _ in range(2):
        with BadLine(loss=loss, delay_s=0.1, seed=5) as line:
            arrived, took = cross(line)
        assert arrived == sorted(arrived)
        assert min(took) >= 0.099
        runs.append(arrived)
    assert runs[0] == runs[1]
    assert len(runs[0]) == PACKETS if not loss else PACKETS * 0.85 < len(runs[0]) < PACKETS * 0.95
