"""Who may reach the consoles' Unix socket: the server's own account, and a group of staff accounts where one is named.

Reaching it is not being let in: who somebody is, the kernel says (server/links/console.py), and the staff list decides.
"""

import grp
import os
from pathlib import Path


def group_id(group: str, socket: Path, data: Path) -> int:
    """The group's number, or -1 for none. SystemExit with one sentence when it can't work."""
    if not group:
        return -1
    if socket.absolute().parent.is_relative_to(data.absolute()):
        raise SystemExit(
            f"server: the socket {socket} lies in the data folder, which only the server may enter; "
            f"choose another place for the group {group} with --socket."
        )
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError as error:
        raise SystemExit(
            f"server: there is no group {group}; make it with groupadd, or name another with --socket-group."
        ) from error


def open_to(socket: Path, group: int) -> None:
    """Lets the group (-1: none) connect. SystemExit with one sentence when the server's account may not do that."""
    try:
        if group >= 0:
            os.chown(socket, -1, group)
        socket.chmod(0o660 if group >= 0 else 0o600)
    except OSError as error:
        raise SystemExit(
            f"server: the socket {socket} can't be given to the group ({error.strerror}); "
            "make the server's account a member of it."
        ) from error
