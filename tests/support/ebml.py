"""Take Matroska files apart, and put them together with a canary wherever one may hide.

Nothing here is shared with what is tested; ids are those of RFC 9559.
"""

import functools
import itertools
import struct
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import imageio_ffmpeg

EBML, SEGMENT = 0x1A45DFA3, 0x18538067
INFO, TRACKS, CLUSTER, CUES = 0x1549A966, 0x1654AE6B, 0x1F43B675, 0x1C53BB6B
SEEK_HEAD, TAGS, ATTACHMENTS, CHAPTERS = 0x114D9B74, 0x1254C367, 0x1941A469, 0x1043A770
ENTRY, VIDEO, AUDIO, VOID, CRC = 0xAE, 0xE0, 0xE1, 0xEC, 0xBF
TIMESTAMP, SIMPLE, GROUP, BLOCK = 0xE7, 0xA3, 0xA0, 0xA1
MASTERS = {EBML, SEGMENT, INFO, TRACKS, CLUSTER, ENTRY, VIDEO, AUDIO, GROUP, 0x55B0}

Tree = list[tuple[int, "bytes | Tree"]]
"""Elements in their order; those that hold others as a list."""


def el(kind: int, content: bytes = b"", width: int = 0) -> bytes:
    """Return an element; its length in ``width`` bytes, or as few as it needs."""
    if not width:
        width = next(n for n in range(1, 9) if len(content) < (1 << 7 * n) - 1)
    size = (1 << 7 * width | len(content)).to_bytes(width, "big")
    return ident(kind) + size + content


def unsized(kind: int, content: bytes = b"") -> bytes:
    """Return an element of unknown length."""
    return ident(kind) + b"\x01" + b"\xff" * 7 + content


def ident(kind: int) -> bytes:
    """Return an id in bytes."""
    return kind.to_bytes((kind.bit_length() + 7) // 8, "big")


def uint(kind: int, value: int) -> bytes:
    """Return an element with a number."""
    return el(kind, value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"))


def real(kind: int, value: float) -> bytes:
    """Return an element with a floating-point number."""
    return el(kind, struct.pack(">d", value))


def vint(data: bytes, at: int) -> tuple[int, int]:
    """Return a variable-length number, and where it ends."""
    width = 9 - data[at].bit_length()
    value = int.from_bytes(data[at : at + width], "big") & ((1 << 7 * width) - 1)
    return value, at + width


def split(data: bytes) -> list[tuple[int, bytes]]:
    """Return the elements of one level; one of unknown length takes all that is left."""
    found, at = [], 0
    while at < len(data):
        width = 9 - data[at].bit_length()
        kind = int.from_bytes(data[at : at + width], "big")
        unknown = data[at + width :].startswith(b"\x01" + b"\xff" * 7)
        size, begin = vint(data, at + width)
        end = len(data) if unknown else begin + size
        found.append((kind, data[begin:end]))
        at = end
    return found


def tree(data: bytes) -> Tree:
    """Return the elements of a file and what they hold."""
    return [(kind, tree(body) if kind in MASTERS else body) for kind, body in split(data)]


def flat(nodes: Tree) -> bytes:
    """Return a tree in bytes."""
    return b"".join(el(k, body if isinstance(body, bytes) else flat(body)) for k, body in nodes)


def find(nodes: Tree, *path: int) -> Tree:
    """Return the inside of the first element on each step of a path."""
    for kind in path:
        inside = next(body for name, body in nodes if name == kind)
        assert not isinstance(inside, bytes)
        nodes = inside
    return nodes


def value(nodes: Tree, *path: int) -> bytes:
    """Return the content of the element at the end of a path."""
    inside = next(body for name, body in find(nodes, *path[:-1]) if name == path[-1])
    return inside if isinstance(inside, bytes) else flat(inside)


def edited(data: bytes, change: Callable[[Tree], object], *path: int) -> bytes:
    """Return a file after ``change`` was let loose on the inside of one of its elements."""
    nodes = tree(data)
    change(find(nodes, *path))
    return flat(nodes)


def put(kind: int, body: bytes, *, first: bool = False) -> Callable[[Tree], object]:
    """Return a change that adds an element, behind the others or before them."""
    return lambda nodes: nodes.insert(0 if first else len(nodes), (kind, body))


def swap(kind: int, body: bytes) -> Callable[[Tree], object]:
    """Return a change that gives the first element of a kind another content, or adds it."""

    def change(nodes: Tree) -> None:
        place = next((n for n, (name, _) in enumerate(nodes) if name == kind), None)
        if place is None:
            nodes.append((kind, body))
        else:
            nodes[place] = (kind, body)

    return change


def without(kind: int) -> Callable[[Tree], object]:
    """Return a change that takes elements of one kind away."""
    return lambda nodes: nodes.__setitem__(slice(None), [n for n in nodes if n[0] != kind])


def frames(data: bytes) -> list[tuple[int, int, int, bytes]]:
    """Return (track, time, flags, frame) of all blocks without laces."""
    found = []
    for kind, cluster in find(tree(data), SEGMENT):
        if kind != CLUSTER:
            continue
        assert not isinstance(cluster, bytes)
        base = int.from_bytes(value(cluster, TIMESTAMP), "big")
        for name, body in cluster:
            if name in {SIMPLE, GROUP}:
                block = body if isinstance(body, bytes) else value(body, BLOCK)
                track, at = vint(block, 0)
                shift, flags = struct.unpack_from(">hB", block, at)
                found.append((track, base + shift, flags, block[at + 3 :]))
    return found


def block(track: int, shift: int, frame: bytes, flags: int = 0x80) -> bytes:
    """Return the content of a block."""
    return struct.pack(">BhB", 0x80 | track, shift, flags) + frame


def laced(track: int, shift: int, parts: Sequence[bytes], kind: str) -> bytes:
    """Return the content of a block of several frames, laced by ``xiph``, ``ebml``, ``fixed``."""
    head = bytes([len(parts) - 1])
    if kind == "xiph":
        for part in parts[:-1]:
            head += b"\xff" * (len(part) // 255) + bytes([len(part) % 255])
    if kind == "ebml":
        head += (0x4000 | len(parts[0])).to_bytes(2, "big")
        for before, part in itertools.pairwise(parts[:-1]):
            head += (0x4000 | len(part) - len(before) + 0x1FFF).to_bytes(2, "big")
    flags = {"xiph": 2, "fixed": 4, "ebml": 6}[kind]
    return block(track, shift, head + b"".join(parts), 0x80 | flags)


@functools.cache
def made(suffix: str, *arguments: str) -> bytes:
    """Return a file that ffmpeg makes; ``suffix`` (``webm``, ``mkv``, ``mka``) says its kind."""
    with tempfile.TemporaryDirectory(prefix="amana-media-") as folder:
        path = Path(folder) / f"made.{suffix}"
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", *arguments]
        subprocess.run([*command, str(path)], check=True, capture_output=True)
        return path.read_bytes()


def times(data: bytes) -> list[str]:
    """Return each packet's stream, time and hash in ffmpeg's words; the first stands at 0."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(data)
        told = subprocess.run(
            [
                imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(path), "-map", "0:V?",
                "-map", "0:a?", "-c", "copy", "-copyts", "-f", "framehash", "-hash", "md5", "-",
            ],
            check=True,
            capture_output=True,
        ).stdout.decode()  # fmt: skip
    rows = [line.split(",") for line in told.splitlines() if not line.startswith("#")]
    return [f"{row[0]} {row[2].strip()} {row[4].strip()}" for row in rows]
