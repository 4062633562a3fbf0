"""What a disk may hold after a power cut: a log of what a program told the kernel, and any state that is left of it.

Certain is what an fsync that returned was for: a file's bytes by its own, a name by its folder's. All else may be
there, be lost, or be there in part: of writes any sectors in any order, lost ones as zeros; of names those that were
given up to some moment (file systems keep the order of these).
"""

import os
import pathlib
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SECTOR = 512


@dataclass(frozen=True)
class Op:
    """`what`: create, mkdir, rename, unlink (`name`, `other`); write (`at`, `data`), truncate (`at`), sync of file
    `node`; sync_names of folder `name`; said (`data`): what the program told somebody."""

    what: str
    node: int = 0
    name: str = ""
    other: str = ""
    at: int = 0
    data: Any = b""


class Log:
    """Passes for `os` in the modules under test, and writes down what happens below `root`."""

    def __init__(self, root: Path) -> None:
        self.root, self.ops = root, list[Op]()
        self._open: dict[int, tuple[int, str, bool]] = {}
        self._nodes: dict[str, int] = {}
        self._made = 0
        for path in sorted(root.rglob("*")):
            inside = os.path.relpath(path, root)
            self._name("mkdir" if path.is_dir() else "create", inside)
            if path.is_file():
                self.ops += [Op("write", self._made, data=path.read_bytes()), Op("sync", self._made)]
        folders = {op.name.rpartition("/")[0] or "." for op in self.ops if op.name}
        self.ops += [Op("sync_names", name=name) for name in folders]
        self.began = len(self.ops)
        """So many say what was there before."""

    def said(self, what: Any) -> None:
        self.ops.append(Op("said", data=what))

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def open(self, path: Any, flags: int, mode: int = 0o777, **more: Any) -> int:
        inside = self._inside(path)
        new = inside and flags & os.O_CREAT and not os.path.exists(path)
        descriptor = os.open(path, flags, mode, **more)
        if inside:
            if new:
                self._name("create", inside)
            folder = bool(flags & os.O_DIRECTORY)
            self._open[descriptor] = (0 if folder else self._nodes[inside], inside, bool(flags & os.O_APPEND))
        return descriptor

    def close(self, descriptor: int) -> None:
        self._open.pop(descriptor, None)
        os.close(descriptor)

    def write(self, descriptor: int, data: Any) -> int:
        node, _, appends = self._open.get(descriptor, (0, "", False))
        at = os.fstat(descriptor).st_size if appends else os.lseek(descriptor, 0, os.SEEK_CUR) if node else 0
        wrote = os.write(descriptor, data)
        if node:
            self.ops.append(Op("write", node, at=at, data=bytes(data[:wrote])))
        return wrote

    def ftruncate(self, descriptor: int, size: int) -> None:
        os.ftruncate(descriptor, size)
        if descriptor in self._open:
            self.ops.append(Op("truncate", self._open[descriptor][0], at=size))

    def fsync(self, descriptor: int) -> None:
        os.fsync(descriptor)
        node, name, _ = self._open.get(descriptor, (0, "", False))
        if name:
            self.ops.append(Op("sync", node) if node else Op("sync_names", name=name))

    def mkdir(self, path: Any, mode: int = 0o777) -> None:
        os.mkdir(path, mode)
        if inside := self._inside(path):
            self._name("mkdir", inside)

    def unlink(self, path: Any) -> None:
        os.unlink(path)
        if inside := self._inside(path):
            self.ops.append(Op("unlink", name=inside))
            self._nodes.pop(inside)

    def rename(self, path: Any, target: Any) -> None:
        os.rename(path, target)
        if (inside := self._inside(path)) and (other := self._inside(target)):
            self.ops.append(Op("rename", name=inside, other=other))
            self._nodes[other] = self._nodes.pop(inside)

    def _name(self, what: str, inside: str) -> None:
        self._made += 1
        self._nodes[inside] = self._made
        self.ops.append(Op(what, self._made, inside))

    def _inside(self, path: Any) -> str:
        """Relative to the root; empty for what lies elsewhere."""
        whole = os.path.abspath(path)
        return (
            os.path.relpath(whole, self.root)
            if whole.startswith(f"{self.root}{os.sep}") or whole == str(self.root)
            else ""
        )


@contextmanager
def logged(root: Path, *modules: ModuleType) -> Iterator[Log]:
    """What is below `root` is certain; everything that these modules do there goes through the log."""
    log = Log(root)
    with pytest.MonkeyPatch.context() as patch:
        for module in (*modules, pathlib):
            patch.setattr(module, "os", log)
        yield log


@dataclass
class _File:
    """`certain`: as of its last fsync; `since`: what was told to it after that."""

    now: bytearray = field(default_factory=bytearray)
    certain: bytes = b""
    since: list[Op] = field(default_factory=list[Op])


def leave(ops: list[Op], target: Path, chance: random.Random) -> None:
    """Makes in `target`, which is not there, what a power cut after these may have left."""
    files: dict[int, _File] = {}
    certain: dict[str, dict[str, int]] = {}
    """Folder -> name -> node, as of its last fsync."""
    since: dict[str, list[Op]] = {}
    folders: dict[int, str] = {}
    for op in ops:
        match op.what:
            case "create" | "mkdir" | "unlink" | "rename":
                since.setdefault(os.path.dirname(op.name) or ".", []).append(op)
                if op.what == "create":
                    files[op.node] = _File()
                elif op.what == "mkdir":
                    folders[op.node] = op.name
            case "sync_names":
                names = certain.setdefault(op.name, {})
                for one in since.pop(op.name, []):
                    _apply(names, one)
            case "write":
                file = files[op.node]
                file.now[op.at : op.at + len(op.data)] = op.data
                file.since.append(op)
            case "truncate":
                del files[op.node].now[op.at :]
                files[op.node].since.append(op)
            case "sync":
                files[op.node].certain = bytes(files[op.node].now)
                files[op.node].since.clear()
    target.mkdir()
    for folder in sorted({*certain, *since}):
        if not (target / folder).is_dir():
            continue  # its own name is lost, and all below it
        names = dict(certain.get(folder, {}))
        pending = since.get(folder, [])
        for one in pending[: chance.randint(0, len(pending))]:
            _apply(names, one)
        for name, node in names.items():
            if node in folders:
                (target / name).mkdir()
            else:
                (target / name).write_bytes(_left(files[node], chance))


def _apply(names: dict[str, int], op: Op) -> None:
    match op.what:
        case "unlink":
            names.pop(op.name)
        case "rename":
            names[op.other] = names.pop(op.name)
        case _:
            names[op.name] = op.node


def _left(file: _File, chance: random.Random) -> bytes:
    """Its certain bytes with any of what was told since."""
    content, share = bytearray(file.certain), chance.choice((0.0, 0.3, 0.7, 1.0))
    pieces: list[tuple[int, bytes | None]] = []
    for op in file.since:
        if op.what == "truncate":
            pieces.append((op.at, None))
            continue
        at = op.at
        while at < op.at + len(op.data):
            end = min(op.at + len(op.data), (at // SECTOR + 1) * SECTOR)
            pieces.append((at, op.data[at - op.at : end - op.at]))
            at = end
    for at, data in pieces:
        if chance.random() >= share:
            continue
        if data is None:
            del content[at:]
        else:
            content.extend(bytes(max(0, at + len(data) - len(content))))
            content[at : at + len(data)] = data
    return bytes(content)
