"""What a power cut must not take: bytes that were appended, and the names of files and folders."""

import os
from pathlib import Path


def append(path: Path, data: bytes) -> None:
    """At the end of the file, and on the disk when this returns. OSError: some of it may be there."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_names_durable(folder: Path) -> None:
    """What its files are called is on the disk when this returns."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
