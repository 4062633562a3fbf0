"""A recording of format 1 as an agent made it then, with its evidence key: one gap, one record with sound, the end."""

from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from schemas.recording import FrameKind, FrameReader, nonce, read_begin
from server.recordings.keys import EvidenceKey, read_key

FOLDER = Path(__file__).parent
(FILE,) = FOLDER.glob("*.rec")
PART = FILE.read_bytes()
KEY_FILE = FOLDER / "evidence.key"
KEY: EvidenceKey = read_key(KEY_FILE)
_FRAMES = list(FrameReader().feed(PART))
BEGIN = read_begin(_FRAMES[0])
_CIPHER = AESGCM(KEY.unwrap(BEGIN.wrapped) or b"")
SECONDS = [
    _CIPHER.decrypt(nonce(frame.head.index), frame.body, frame.bound_to(BEGIN))
    for frame in _FRAMES
    if frame.kind in (FrameKind.RECORD, FrameKind.GAP)
]
"""What is sealed in it."""
