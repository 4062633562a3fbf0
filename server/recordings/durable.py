"""A file that is new, or has a new name, is there after a power cut only when its folder is on the disk too."""

import os
from pathlib import Path


def make_names_durable(folder: Path) -> None:
    """What its files are called is on the disk when this returns."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
