"""What a laptop measures of a call. The server passes these on to consoles as they came, inside its delta frames."""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from .wire import Count, Id, Message, Milliseconds, Words

TenthsDbfs = Annotated[int, Meta(ge=-1200, le=30)]
"""A level in tenths of a dBFS: -185 is -18.5 dBFS. Silence is -1200."""
SILENCE = -1200


class Side(StrEnum):
    """Of a call: the family's devices, or the prison's room."""

    FAMILY = "family"
    ROOM = "room"


def side_of(leg: str) -> Side:
    """Of a leg's name: the room's is its side's own."""
    return Side.ROOM if leg == Side.ROOM else Side.FAMILY


class RecordingState(StrEnum):
    """NOT_STARTED until the first admitted packet; FAILED stops the media and says why."""

    NOT_STARTED = "not_started"
    RECORDING = "recording"
    FAILED = "failed"
    FINISHED = "finished"


PicturePixels = Annotated[int, Meta(ge=2, le=640)]


class PictureMode(StrEnum):
    """What a picture's bytes are."""

    RGB = "rgb"
    """3 bytes a pixel, rows from the top, no padding."""
    GREY = "grey"
    """1 byte a pixel: luma, 0 black to 255 white."""
    PNG = "png"
    """A whole PNG file with a palette of at most 32 colours, for terminals that show images."""


PerSecond = Annotated[int, Meta(ge=1, le=10)]
PICTURE_BYTES_MAX = 200 * 1024


class Box(Message, frozen=True):
    """The largest picture that a console has room for: width x height pixels; the agent fits the picture in it.

    An agent that speaks protocol 1 makes RGB, one a second, whatever is asked.
    """

    side: Side
    width: PicturePixels
    height: PicturePixels
    mode: PictureMode = PictureMode.RGB
    per_s: PerSecond = 1
    """So many a second, when the sender has as many."""


class Levels(Message, tag=1, frozen=True):
    """Sound of both sides over the last tenth of a second, from decoded sound; RMS and peak in tenths of a dBFS."""

    call_id: Id
    at_ms: Milliseconds
    """CLOCK_MONOTONIC of the laptop at the end of the measured stretch."""
    family_rms: TenthsDbfs
    family_peak: TenthsDbfs
    room_rms: TenthsDbfs
    room_peak: TenthsDbfs


class Picture(Message, tag=2, frozen=True):
    """One picture of one side, made for a box: smaller than it where the bytes would be more than PICTURE_BYTES_MAX."""

    call_id: Id
    side: Side
    at_ms: Milliseconds
    """CLOCK_MONOTONIC of the laptop when the frame's last packet came in."""
    box_width: PicturePixels
    box_height: PicturePixels
    width: PicturePixels
    height: PicturePixels
    pixels: Annotated[bytes, Meta(max_length=PICTURE_BYTES_MAX)]
    mode: PictureMode = PictureMode.RGB


class LegHealth(Message, frozen=True):
    """How one connection of a call does, as seen by the laptop."""

    leg: Id
    """`room` or `family-1` to `family-4`."""
    connected: bool
    media_age_ms: Milliseconds
    """Since the last RTP packet from this leg; 2**53 when none ever came."""
    lost_per_mille: Annotated[int, Meta(ge=0, le=1000)]
    jitter_ms: Annotated[float, Meta(ge=0)]
    round_trip_ms: Annotated[float, Meta(ge=0)]
    frames_per_s: Annotated[float, Meta(ge=0)]
    kbit_per_s: Annotated[float, Meta(ge=0)]
    admitted: bool | None = None
    """Whether its media may pass to others; None from a laptop that does not say."""
    louder_db: Annotated[int, Meta(ge=-200, le=200)] = 0
    """By so much its decoded sound is louder (negative: quieter) than its packets claim (RFC 6464), once that has
    lasted some seconds; 0: it agrees, or claims nothing."""


class CallHealth(Message, tag=3, frozen=True):
    """Once a second for each open call, and at once when `carrying` or `recording` changes."""

    call_id: Id
    carrying: bool
    """True while at least one direction may flow."""
    why_not: Words
    """Why nothing is carried, in words; empty while `carrying`."""
    recording: RecordingState
    recording_age_ms: Milliseconds
    """Age of the newest durable record."""
    recorded_ms: Milliseconds
    recording_words: Words
    legs: Annotated[list[LegHealth], Meta(max_length=5)]
    forwarded_packets: Count = 0
