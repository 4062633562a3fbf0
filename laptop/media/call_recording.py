"""A call's recording as its event loop sees it: begun with the first admission, and what is said of it."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import structlog

from schemas.health import RecordingFault
from schemas.media import RecordingState

from ..tasks import in_loop
from .part_file import Sealing
from .recording import Recording, RecordingError

log = structlog.get_logger()


class CallRecording:
    """`begin` it, then what flows is for `kept`, then `finish`. `words`: why it has failed, for an officer.

    `on_durable(begun_at)`, as in Recording, and `on_failed()` are called in the event loop.
    """

    def __init__(
        self,
        folder: Path,
        call_id: str,
        sealing: Sealing,
        server_ms: Callable[[float], int],
        on_durable: Callable[[float], None],
        on_failed: Callable[[], None],
    ) -> None:
        self.kept: Recording | None = None
        """None until it has begun."""
        self.state, self.words = RecordingState.NOT_STARTED, ""
        self._folder, self._call_id, self._sealing, self._server_ms = folder, call_id, sealing, server_ms
        self._on_durable, self._on_failed = on_durable, on_failed
        self._start_fault = RecordingFault.NONE
        self._loop = asyncio.get_running_loop()

    @property
    def recorded_ms(self) -> int:
        return self.kept.recorded_ms if self.kept is not None else 0

    @property
    def fault(self) -> RecordingFault:
        return self.kept.fault if self.kept is not None else self._start_fault

    def begin(self, expected_s: float) -> None:
        """Returns when the first record is durable; RecordingError when it can't be begun: it may be tried again."""
        try:
            recording = Recording(
                self._folder,
                self._call_id,
                self._sealing,
                self._durable_in_thread,
                self._failed_in_thread,
                self._server_ms,
            )
            recording.start(expected_s)
        except RecordingError as error:
            self.state, self.words, self._start_fault = RecordingState.FAILED, str(error)[:500], error.fault
            raise
        self.kept = recording
        self.state, self.words = RecordingState.RECORDING, ""

    async def finish(self) -> None:
        """Returns when all of it is durable, or after some seconds."""
        if self.kept is not None:
            await asyncio.to_thread(self.kept.finish)
            if self.state == RecordingState.RECORDING:
                self.state = RecordingState.FINISHED

    # The recording's thread

    def _durable_in_thread(self, begun_at: float) -> None:
        in_loop(self._loop, lambda: self._on_durable(begun_at))

    def _failed_in_thread(self, words: str) -> None:
        def failed() -> None:
            self.state, self.words = RecordingState.FAILED, words[:500]
            log.error("recording failed", call=self._call_id, reason=words)
            self._on_failed()

        in_loop(self._loop, failed)
