"""The laptop's own key (Ed25519): it signs the end of each recording. Made at the first start."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from .durable import replace

FILE = "signing.key"


def signing_key(data: Path) -> Ed25519PrivateKey:
    """OSError when the folder can't be written; ValueError when what is there is no key."""
    path = data / FILE
    if not path.exists():
        replace(path, Ed25519PrivateKey.generate().private_bytes_raw())
    return Ed25519PrivateKey.from_private_bytes(path.read_bytes())


def public_bytes(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
