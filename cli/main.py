"""`sightline PART`: reads the arguments, then hands over to the part's bootstrap.

Exit status: 0 done, 1 with one sentence on standard error when the part could not start, 2 for wrong arguments.
"""

import argparse
import os
from collections.abc import Callable, Sequence
from pathlib import Path

DEFAULT_PORT = 8710
THEMES = ("dark", "light", "high-contrast", "monochrome")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = _parser()
    if "_ARGCOMPLETE" in os.environ:  # a shell asks what may follow
        import argcomplete

        argcomplete.autocomplete(parser)
    chosen = parser.parse_args(arguments)
    start: Callable[[argparse.Namespace], int] = chosen.start
    try:
        return start(chosen)
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing in ("schemas", "server", "laptop", "console", "demo", "cli"):
            raise
        raise SystemExit(
            f"sightline: the {chosen.part} needs {missing}, which is not installed; "
            f"install it with: pip install 'sightline[{chosen.part}]'."
        ) from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sightline", description="Watching over secure social video calls.")
    parts = parser.add_subparsers(dest="part", required=True, metavar="PART")

    server = parts.add_parser("server", help="the server of one or several establishments")
    server.add_argument("--data", type=Path, required=True, help="folder for the database and the console's socket")
    server.add_argument(
        "--establishment",
        type=Path,
        action="append",
        default=[],
        help="JSON file with an establishment's laptops, staff and bookings to take in; once for each establishment",
    )
    server.add_argument("--host", default="127.0.0.1")
    server.add_argument("--port", type=int, default=DEFAULT_PORT)
    server.add_argument("--socket", type=Path, help="Unix socket for consoles on this machine (DATA/console.sock)")
    server.add_argument("--alarm-hook", type=Path, metavar="PROGRAM", help="started with each alarm, JSON on its stdin")
    server.add_argument("--socket-group", default="", metavar="GROUP", help="staff accounts that may reach the socket")
    server.set_defaults(start=_server)

    audit = parts.add_parser("audit", help="check the audit's hash chain and say how long it is, as JSON")
    audit.add_argument("--data", type=Path, required=True, help="the server's data folder")
    audit.set_defaults(start=_audit)

    recording = parts.add_parser("recording", help="open a call's recording with the evidence key")
    acts = recording.add_subparsers(dest="act", required=True, metavar="ACT")
    join = acts.add_parser("join", help="one WebM of all of it, and what it holds as JSON")
    join.add_argument("folder", type=Path, metavar="FOLDER", help="the call's folder: DATA/recordings/CODE/CALL")
    join.add_argument("--identity", type=Path, required=True, metavar="KEY", help="the evidence key, an age identity")
    join.add_argument(
        "--laptops", type=Path, metavar="LIST", help="the laptops' signing keys (the file CODE.laptops beside KEY)"
    )
    join.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.webm")
    join.set_defaults(start=_join)

    schema = parts.add_parser("schema", help="every message between the programs, as one JSON Schema document")
    schema.set_defaults(start=_schema)

    laptop = parts.add_parser("laptop", help="the agent on a secure laptop")
    laptop.add_argument("--server", default=f"ws://127.0.0.1:{DEFAULT_PORT}", help="URL of the server")
    laptop.add_argument("--establishment", required=True, metavar="CODE", help="three letters, BWI for example")
    laptop.add_argument("--id", required=True, dest="laptop_id", help="this laptop's identity")
    laptop.add_argument("--token-file", type=Path, required=True, help="file with the laptop's token")
    laptop.add_argument("--data", type=Path, required=True, help="folder for recordings")
    laptop.add_argument("--interface", metavar="ADDRESS", help="address for all media, 127.0.0.1 for loopback")
    laptop.add_argument(
        "--room-interface", default="127.0.0.1", metavar="ADDRESS", help="address for the room's browser (127.0.0.1)"
    )
    laptop.add_argument(
        "--family-interface", default="", metavar="ADDRESS", help="address for the family's devices (all but loopback)"
    )
    laptop.set_defaults(start=_laptop)

    console = parts.add_parser("console", help="the wall, in this terminal")
    console.add_argument("--establishment", required=True, metavar="CODE", help="three letters, BWI for example")
    where = console.add_mutually_exclusive_group(required=True)
    where.add_argument("--socket", type=Path, help="the server's Unix socket, on its own machine")
    where.add_argument("--server", help="URL of the server, with --token-file")
    console.add_argument("--token-file", type=Path, help="file with the token of the person at this console")
    console.add_argument(
        "--speak", action="store_true", help="line by line with typed commands, for screen readers and logs"
    )
    console.add_argument("--theme", default="", choices=THEMES, help="(default: your settings', or the last one)")
    console.add_argument("--config", type=Path, metavar="FILE", help="your settings (~/.config/sightline/console.toml)")
    console.set_defaults(start=_console)

    completion = parts.add_parser("completion", help="the words that a shell completes this command with")
    completion.add_argument("shell", choices=("bash", "zsh", "fish"))
    completion.set_defaults(start=_completion)

    demo = parts.add_parser("demo", help="server, laptops, callers and console on this machine, with real media")
    demo.add_argument("--calls", type=int, default=6, help="1 to 36")
    demo.add_argument("--headless", action="store_true", help="no terminal: run, measure, report (default without one)")
    demo.add_argument("--seconds", type=float, default=20, help="how long a headless run watches its live calls")
    demo.add_argument("--report", type=Path, help="write the headless run's figures to this file, as JSON")
    demo.add_argument("--picture", type=Path, help="write the terminal's picture at its fullest to this file, as SVG")
    demo.add_argument("--data", type=Path, help="folder to keep (default: a temporary one, removed at the end)")
    demo.add_argument("--port", type=int, default=0, help="the server's port (default: a free one)")
    demo.set_defaults(start=_demo)
    return parser


def _server(chosen: argparse.Namespace) -> int:
    from server.bootstrap import run
    from server.settings import Settings

    return run(
        Settings(
            data=chosen.data,
            establishments=tuple(chosen.establishment),
            host=chosen.host,
            port=chosen.port,
            socket=chosen.socket,
            alarm_hook=chosen.alarm_hook,
            socket_group=chosen.socket_group,
        )
    )


def _audit(chosen: argparse.Namespace) -> int:
    import json

    from server.bootstrap import verify_audit

    found = verify_audit(chosen.data)
    print(json.dumps(found))
    return 0 if found["intact"] else 1


def _join(chosen: argparse.Namespace) -> int:
    import json

    from server.recordings.joining import join

    found = join(chosen.folder, chosen.identity, chosen.laptops, chosen.output)
    print(json.dumps(found))
    broken = any(part["broken"] or not part["signed"] or not part["registered"] for part in found["parts"])
    return 1 if broken else 0


def _schema(chosen: argparse.Namespace) -> int:
    from schemas.document import printed

    print(printed(), end="")
    return 0


def _completion(chosen: argparse.Namespace) -> int:
    """For a shell's start-up file: `source <(sightline completion bash)`, or `sightline completion fish | source`."""
    from argcomplete.shell_integration import shellcode

    print(shellcode(["sightline"], shell=chosen.shell))
    return 0


def _laptop(chosen: argparse.Namespace) -> int:
    from laptop.bootstrap import run
    from laptop.settings import Settings

    return run(
        Settings(
            server=chosen.server,
            establishment=chosen.establishment,
            laptop_id=chosen.laptop_id,
            token=_token(chosen.token_file),
            data=chosen.data,
            room_interface=chosen.interface or chosen.room_interface,
            family_interface=chosen.interface or chosen.family_interface,
        )
    )


def _console(chosen: argparse.Namespace) -> int:
    from console.bootstrap import run
    from console.settings import Settings

    token = _token(chosen.token_file) if chosen.token_file else ""
    return run(
        Settings(
            establishment=chosen.establishment,
            socket=chosen.socket,
            server=chosen.server,
            token=token,
            speak=chosen.speak,
            config=chosen.config,
            theme=chosen.theme,
        )
    )


def _demo(chosen: argparse.Namespace) -> int:
    from demo.run import Settings, run

    return run(
        Settings(
            calls=chosen.calls,
            headless=chosen.headless or not (os.isatty(0) and os.isatty(1)),
            seconds=chosen.seconds,
            report=chosen.report,
            picture=chosen.picture,
            data=chosen.data,
            port=chosen.port,
        )
    )


def _token(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SystemExit(
            f"sightline: the token file {file} can't be read ({error}); give one with --token-file."
        ) from error
