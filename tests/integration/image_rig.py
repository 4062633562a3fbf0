"""Builds images as their Dockerfiles say, without an engine, and runs them: each instruction becomes a layer of an
overlay over a bare Debian; RUN is a chroot. The network of a running image is a namespace of its own.

The machine's settings for pip and apt are lent to a build as mounts and variables and are in no layer.
"""

import contextlib
import fnmatch
import hashlib
import os
import re
import shlex
import shutil
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from string import Template

import dockerfile

from demo.processes import end_with_parent

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".cache" / "images"
BASES = {"debian:12-slim": "bookworm"}
PLAIN = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
STEP_S = 400
SIOCSIFFLAGS, IFF_UP_AND_RUNNING = 0x8914, 0x41  # netdevice(7)
LENT_AT = "/run/lent"
LENT = re.compile(r"^(PIP_|SSL_|REQUESTS_|CURL_|https?_proxy$|HTTPS?_PROXY$|no_proxy$|NO_PROXY$)")


def install_mmdebstrap() -> None:
    if shutil.which("mmdebstrap") is None or shutil.which("mount") is None:
        subprocess.run(["apt-get", "update", "-qq"], check=True, capture_output=True)
        command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "mmdebstrap", "mount"]
        subprocess.run(command, check=True, capture_output=True, env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"})


def own_mounts() -> list[str]:
    """Mounts of its own, that nothing outside sees. In a chroot whose root is no mount, unshare can't make it private;
    what is mounted below stays in the new namespace there too, unless the machine shares its mounts."""
    roots = [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if line.split()[4] == "/"]
    return ["unshare", "--mount", *([] if roots else ["--propagation", "unchanged"])]


def debian(release: str) -> Path:
    """A bare root of a release; made once and kept."""
    root = CACHE / release
    if not root.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f"{release}-", dir=CACHE))
        made.chmod(0o755)
        command = ["mmdebstrap", "--quiet", "--variant=apt", release, str(made)]
        subprocess.run(command, check=True, capture_output=True, timeout=STEP_S)
        made.rename(root)
    return root


@dataclass(frozen=True)
class Image:
    """Layers from the top down, and what the instructions have set."""

    layers: tuple[Path, ...]
    key: str
    environment: dict[str, str] = field(default_factory=lambda: {"PATH": PLAIN})
    workdir: str = "/"
    user: str = "0:0"
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    health: tuple[str, ...] = ()
    exposed: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()


class Builder:
    """Equal instructions on an equal ground are carried out once in a session, as an engine does."""

    def __init__(self, context: Path) -> None:
        self._context = context
        self._kept = [line for line in _lines(context / ".dockerignore")]
        self.folder = Path(tempfile.mkdtemp(prefix="sightline-images-"))
        # In memory: a gigabyte of small files that nobody needs tomorrow.
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4g,mode=700", "sightline", str(self.folder)], check=True)
        self._lent = _Lent(self.folder / "lent")
        self._made: dict[str, Path] = {}

    def build(self, file: Path) -> Image:
        """The last stage of a Dockerfile."""
        stages: dict[str, Image] = {}
        image: Image | None = None
        name = ""
        for step in dockerfile.parse_file(str(file)):
            if step.cmd.upper() == "FROM":
                base = step.value[0]
                name = step.value[2] if len(step.value) == 3 else str(len(stages))
                image = stages[base] if base in stages else Image((debian(BASES[base]),), base)
            else:
                assert image is not None, "a Dockerfile begins with FROM"
                image = self._step(image, step, stages)
            stages[name] = image
        assert image is not None
        return image

    def _step(self, image: Image, step: dockerfile.Command, stages: dict[str, Image]) -> Image:
        value = step.value
        match step.cmd.upper():
            case "RUN":
                command = list(value) if step.json else ["/bin/sh", "-c", value[0]]
                return self._layer(image, step.original, lambda root: self._run(image, root, command))
            case "COPY":
                return self._copy(image, step, stages)
            case "ENV":
                environment = dict(image.environment)
                for name, text in zip(value[::2], value[1::2], strict=True):
                    environment[name] = Template(text.strip('"')).substitute(image.environment)
                return replace(image, environment=environment)
            case "WORKDIR":
                made = self._layer(
                    image, step.original, lambda root: _inside(root, value[0]).mkdir(parents=True, exist_ok=True)
                )
                return replace(made, workdir=value[0])
            case "USER":
                return replace(image, user=value[0])
            case "ENTRYPOINT":
                assert step.json, "the exec form: no shell stands between the engine and the program"
                return replace(image, entrypoint=tuple(value), command=())
            case "CMD":
                assert step.json
                return replace(image, command=tuple(value))
            case "HEALTHCHECK":
                assert step.json and value[0] == "CMD"
                return replace(image, health=tuple(value[1:]))
            case "EXPOSE":
                return replace(image, exposed=tuple(value))
            case "VOLUME":
                return replace(image, volumes=tuple(value))
        raise AssertionError(f"{step.cmd} is an instruction that this rig does not know")

    def _layer(self, image: Image, what: str, fill: object) -> Image:
        key = hashlib.sha256(
            f"{image.key}\0{image.environment}\0{image.workdir}\0{image.user}\0{what}".encode()
        ).hexdigest()
        if key not in self._made:
            layer = self.folder / key[:16]
            layer.mkdir()
            with mounted(image.layers, layer) as root:
                fill(root)  # type: ignore[operator]
            self._made[key] = layer
        return replace(image, layers=(self._made[key], *image.layers), key=key)

    def _run(self, image: Image, root: Path, command: Sequence[str]) -> None:
        environment = image.environment | {"HOME": "/root"} | self._lent.environment
        inside = shlex.join(_chroot(root, image.user, image.workdir, environment, command))
        with self._lent.to(root) as mounts:
            script = "\n".join((*mounts, *_devices(root), f"exec {inside}"))
            done = subprocess.run(
                [*own_mounts(), "--pid", "--fork", "--kill-child", "sh", "-euc", script],
                capture_output=True, text=True, timeout=STEP_S, stdin=subprocess.DEVNULL, env={"PATH": PLAIN},
                preexec_fn=end_with_parent(os.getpid()),
            )  # fmt: skip
        assert done.returncode == 0, f"{shlex.join(command)}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"

    def _copy(self, image: Image, step: dockerfile.Command, stages: dict[str, Image]) -> Image:
        *sources, target = step.value
        origin = next((flag.partition("=")[2] for flag in step.flags if flag.startswith("--from=")), "")
        assert all(flag.startswith("--from=") for flag in step.flags), (
            f"{step.flags}: a flag that this rig does not know"
        )
        if origin:
            with mounted(stages[origin].layers, None) as other:
                files = [other / source.lstrip("/") for source in sources]
                return self._layer(
                    image, f"{step.original}{stages[origin].key}", lambda root: _copy_all(files, root, target, image)
                )
        files = [self._context / source for source in sources]
        for file in files:
            assert self._in_context(file), f"{file} is kept out of the build by .dockerignore"
        seen = hashlib.sha256()
        for one in sorted(found for file in files for found in (file, *file.rglob("*"))):
            if one.is_file() and "__pycache__" not in one.parts:
                seen.update(str(one).encode() + one.read_bytes())
        return self._layer(
            image, f"{step.original}{seen.hexdigest()}", lambda root: _copy_all(files, root, target, image)
        )

    def _in_context(self, file: Path) -> bool:
        """Ours says `*`, then what is let in."""
        name = str(file.relative_to(self._context))
        assert self._kept[0] == "*"
        return any(fnmatch.fnmatch(name, line[1:]) for line in self._kept if line.startswith("!"))

    def close(self) -> None:
        subprocess.run(["umount", "--lazy", str(self.folder)], check=True)
        self.folder.rmdir()


def _copy_all(files: Sequence[Path], root: Path, target: str, image: Image) -> None:
    place = _inside(root, os.path.join(image.workdir, target))
    for file in files:
        if file.is_dir():
            skipped = shutil.ignore_patterns("__pycache__")
            shutil.copytree(file, place, symlinks=True, dirs_exist_ok=True, ignore=skipped)
        else:
            goal = place / file.name if target.endswith("/") else place
            goal.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, goal)


def _inside(root: Path, path: str) -> Path:
    return root / path.lstrip("/")


class _Lent:
    """pip's and apt's settings of this machine, and its certificates, for a step of a build.

    All of it is mounted read-only, and what a package could want to change is a copy besides: a build changes nothing
    outside of its layers.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._mounts: list[tuple[Path, str]] = []
        self.environment = _pip_settings() | {name: text for name, text in os.environ.items() if LENT.match(name)}
        paths = {
            word
            for value in self.environment.values()
            for word in re.findall(r"(?:^|\s|file://)(/[^\s/][^\s]*)", value)
        }
        for number, path in enumerate(sorted(path for path in paths if Path(path).exists())):
            source = Path(path).resolve()
            if source.is_dir() and not path.startswith("/etc/"):
                # A folder of packages, or an index whose links lead to folders beside it.
                whole = source.parent if len(source.parts) > 3 else source
                self._lend(whole, str(whole))
                continue
            copy = folder / str(number)
            _ = shutil.copytree(source, copy) if source.is_dir() else shutil.copy(source, copy)
            self._lend(copy, f"{LENT_AT}/{number}")
            self.environment = {
                name: re.sub(rf"(?:(?<=^)|(?<=\s)){re.escape(path)}(?=\s|$)", f"{LENT_AT}/{number}", value)
                for name, value in self.environment.items()
            }
        self._lend_apt(folder)

    def _lend_apt(self, folder: Path) -> None:
        apt = folder / "apt"
        shutil.copytree("/etc/apt", apt, symlinks=True)
        for file in (apt / "apt.conf.d").glob("*"):
            if "Invoke" in file.read_text(errors="replace"):  # runs programs of this machine, which a bare root has not
                file.unlink()
        authorities = ssl.get_default_verify_paths().cafile
        if authorities:
            shutil.copy(authorities, folder / "authorities")
            self._lend(folder / "authorities", f"{LENT_AT}/authorities")
            (apt / "apt.conf.d" / "99lent").write_text(f'Acquire::https::CAInfo "{LENT_AT}/authorities";\n')
        self._lend(apt, "/etc/apt")
        if Path("/usr/share/keyrings").is_dir():
            shutil.copytree("/usr/share/keyrings", folder / "keyrings")
            self._lend(folder / "keyrings", "/usr/share/keyrings")
        for name in ("resolv.conf", "hosts"):
            if Path("/etc", name).exists():
                shutil.copy(Path("/etc", name), folder / name)
                self._lend(folder / name, f"/etc/{name}")

    def _lend(self, source: Path, target: str) -> None:
        self._mounts.append((source, target))

    @contextlib.contextmanager
    def to(self, root: Path) -> Iterator[list[str]]:
        """The shell commands that mount it all under `root`; the places that it needs are gone afterwards."""
        made: list[Path] = []
        commands: list[str] = []
        for source, target in self._mounts:
            goal = _inside(root, target)
            assert goal.resolve().is_relative_to(root), f"{target} leads out of the image"
            for folder in (*reversed(goal.parents), *([goal] if source.is_dir() else [])):
                if not folder.exists():
                    folder.mkdir()
                    made.append(folder)
            if source.is_file() and not goal.exists():
                goal.touch()
                made.append(goal)
            commands.append(shlex.join(["mount", "--bind", str(source), str(goal)]))
            commands.append(shlex.join(["mount", "-o", "remount,bind,ro", str(goal)]))
        try:
            yield commands
        finally:
            for place in reversed(made):
                place.rmdir() if place.is_dir() else place.unlink()


def _pip_settings() -> dict[str, str]:
    """What pip's configuration files say, as variables."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.findall(r"^(?:global|install)\.([a-z-]+)='(.*)'$", listed, re.MULTILINE)
    return {f"PIP_{key.upper().replace('-', '_')}": " ".join(value.replace("\\n", " ").split()) for key, value in found}


def _devices(root: Path) -> list[str]:
    """/proc and a /dev of its own with the few devices that programs need."""
    dev = shlex.quote(f"{root}/dev")
    made = [
        shlex.join(["mount", "-t", "proc", "proc", f"{root}/proc"]),
        f"mount -t tmpfs -o mode=755 tmpfs {dev}",
        f"mkdir {dev}/pts {dev}/shm",
        f"mount -t devpts -o newinstance,ptmxmode=0666 devpts {dev}/pts",
        f"ln -s pts/ptmx {dev}/ptmx; ln -s /proc/self/fd {dev}/fd",
    ]
    for name in ("null", "zero", "full", "random", "urandom", "tty"):
        made.append(f": >{dev}/{name}; mount --bind /dev/{name} {dev}/{name}")
    return made


def _chroot(root: Path, user: str, workdir: str, environment: dict[str, str], command: Sequence[str]) -> list[str]:
    settings = [f"{name}={value}" for name, value in environment.items()]
    return ["chroot", f"--userspec={user}", "--groups=", str(root), "env", "-i", "-C", workdir, *settings, *command]


@contextlib.contextmanager
def mounted(layers: Sequence[Path], upper: Path | None) -> Iterator[Path]:
    """The layers as one folder; what is written goes to `upper`."""
    work = Path(tempfile.mkdtemp(prefix="sightline-overlay-"))
    root, scratch = work / "root", work / "scratch"
    root.mkdir()
    scratch.mkdir()
    lower = ":".join(map(str, layers))
    options = f"lowerdir={lower}" if upper is None else f"lowerdir={lower},upperdir={upper},workdir={scratch}"
    if upper is None and len(layers) == 1:
        options += f":{root}"
    if upper is not None:
        upper.chmod(0o755)  # it becomes the root folder of all who run in it
        # An overlay's workdir has to lie on its upper's file system.
        scratch = Path(tempfile.mkdtemp(prefix="work-", dir=upper.parent))
        options = f"lowerdir={lower},upperdir={upper},workdir={scratch}"
    subprocess.run(["mount", "-t", "overlay", "sightline", "-o", options, str(root)], check=True, capture_output=True)
    try:
        yield root
    finally:
        subprocess.run(["umount", "--lazy", str(root)], check=True, capture_output=True)
        shutil.rmtree(work, ignore_errors=True)
        if upper is not None:
            shutil.rmtree(scratch, ignore_errors=True)


def _lines(file: Path) -> list[str]:
    return [line for line in file.read_text().splitlines() if line and not line.startswith("#")]


class Network:
    """A network namespace with nothing but loopback, for as long as a process holds it."""

    def __init__(self) -> None:
        up = (
            "import fcntl, socket, struct, sys\n"
            "s = socket.socket()\n"
            f"fcntl.ioctl(s, {SIOCSIFFLAGS}, struct.pack('16sh', b'lo', {IFF_UP_AND_RUNNING}))\n"
            "print('up', flush=True)\n"
            "sys.stdin.read()\n"
        )
        self._holder = subprocess.Popen(
            ["unshare", "--net", sys.executable, "-c", up],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, preexec_fn=end_with_parent(os.getpid()),
        )  # fmt: skip
        assert self._holder.stdout is not None and self._holder.stdout.readline() == b"up\n"

    @property
    def enter(self) -> list[str]:
        return ["nsenter", f"--net=/proc/{self._holder.pid}/ns/net"]

    def close(self) -> None:
        self._holder.kill()
        self._holder.wait()


@dataclass(frozen=True)
class Container:
    """An image with a writable layer over it, in a network."""

    image: Image
    root: Path
    network: Network

    def command(self, arguments: Sequence[str], entrypoint: Sequence[str] | None = None, **more: str) -> list[str]:
        """To run its entry point with these arguments, as its user."""
        start = [*(self.image.entrypoint if entrypoint is None else entrypoint), *arguments]
        environment = self.image.environment | more
        inside = _chroot(self.root, self.image.user, self.image.workdir, environment, start)
        script = "; ".join(_devices(self.root)) + f"; exec {shlex.join(inside)}"
        return [*self.network.enter, *own_mounts(), "--pid", "--fork", "--kill-child=TERM", "sh", "-euc", script]

    def give(self, path: str, content: str) -> None:
        """A file that is mounted into it, as an engine mounts a secret."""
        file = _inside(self.root, path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
        file.chmod(0o444)
