"""Wires the agent, and runs it until it is told to stop."""

import asyncio
import gc
import signal
from collections.abc import Callable
from typing import Literal

import av.codec.codec
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schemas.recording import fingerprint

from .agent import Agent
from .durable import make_names_durable
from .guarded import Watchdog
from .link import RefusedError, ServerLink
from .logs import log_to_stderr
from .media.aiortc_internals.addresses import use_interfaces
from .media.aiortc_internals.check import check_names, check_version
from .media.aiortc_internals.pipe import take_rtp_past_stun
from .settings import Settings
from .signing import public_bytes, signing_key

log = structlog.get_logger()

CODECS: tuple[tuple[str, Literal["r", "w"]], ...] = (("opus", "r"), ("libopus", "w"), ("vp8", "r"))
CLOSE_S = 3.5


def run(settings: Settings) -> int:
    """Until SIGTERM or SIGINT. SystemExit with one sentence when it can't start or the server refuses it."""
    log_to_stderr()
    check_version()
    _check_codecs()
    _check_folder(settings)
    take_rtp_past_stun()
    # Packets come and go without cycles: what was loaded need not be looked at again and again.
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    use_interfaces(settings.room_interface, settings.family_interface)
    try:
        import uvloop

        loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = uvloop.new_event_loop
    except ImportError:
        loop_factory = None
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        return runner.run(_run(settings))


async def _run(settings: Settings) -> int:
    check_names()
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    watchdog = Watchdog(settings.data)
    try:
        watchdog.start()
    except OSError as error:
        raise SystemExit(f"laptop: no watchdog can be started ({error.strerror}), so no call is carried.") from error
    signer = _signer(settings)
    log.info("recordings are signed", key=fingerprint(public_bytes(signer)))
    link = ServerLink(settings, public_bytes(signer))
    agent = Agent(settings, link, signer)
    await agent.prepare()
    linked = asyncio.ensure_future(link.run())
    leases = asyncio.ensure_future(agent.run())
    stopped = asyncio.ensure_future(stop.wait())
    await asyncio.wait((linked, leases, stopped), return_when=asyncio.FIRST_COMPLETED)
    try:
        await asyncio.wait_for(agent.close(), CLOSE_S)
    except TimeoutError:
        log.error("the call could not be closed in time")
    watchdog.close()
    for task in (leases, stopped):
        task.cancel()
    if linked.done() and (error := linked.exception()) is not None:
        if isinstance(error, RefusedError):
            raise SystemExit(f"laptop: {error}.")
        raise error
    await link.say_goodbye()
    linked.cancel()
    return 0


def _check_codecs() -> None:
    for name, mode in CODECS:
        try:
            av.codec.codec.Codec(name, mode)
        except av.codec.codec.UnknownCodecError as error:
            raise SystemExit(f"laptop: the codec {name} is missing from av; install the locked wheel of av.") from error


def _signer(settings: Settings) -> Ed25519PrivateKey:
    try:
        return signing_key(settings.data)
    except (OSError, ValueError) as error:
        words = getattr(error, "strerror", None) or error
        raise SystemExit(f"laptop: the signing key in {settings.data} can't be used ({words}); put it back.") from error


def _check_folder(settings: Settings) -> None:
    probe = settings.recordings / ".writable"
    try:
        probe.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe.touch()
        probe.unlink()
        make_names_durable(settings.data)
    except OSError as error:
        raise SystemExit(
            f"laptop: the folder {settings.data} can't be written ({error.strerror}); choose another with --data."
        ) from error
