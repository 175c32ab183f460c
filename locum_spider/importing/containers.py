"""Files that hold captures: a WARC or ARC itself, a WACZ, or a WACZ of several.

Browsertrix packs a collection in one of several.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO, cast

from locum_spider.errors import UsageError
from locum_spider.importing.compression import STREAM_FAULTS, UnreadableError, compression_of

_ZIP = b"PK\x03\x04"
_WARCS = (".warc", ".warc.gz", ".warc.zst", ".warc.lz4", ".arc", ".arc.gz")
_WACZ = ".wacz"
_INVENTORY = "datapackage.json"
_LARGEST_INVENTORY = 10_000_000
_DEEPEST = 3
_HEADER = 30
_ENCRYPTED = 1
_FAULTS = (*STREAM_FAULTS, NotImplementedError)

Part = tuple[str, "BinaryIO | str"]


def require_captures(path: Path) -> None:
    """Raises UsageError if a file is not WARC, ARC or WACZ, or holds no captures."""
    try:
        with path.open("rb") as file:
            is_zip = file.read(4) == _ZIP
            readable = is_zip or (file.seekable() and compression_of(file) is not None)
    except OSError as error:
        raise UsageError(f"{path} cannot be opened: {error.strerror}") from None
    except UnreadableError as error:
        raise UsageError(f"{path}: {error}; get the file again") from None
    if not readable:
        kinds = "a WARC (.gz, .zst, .lz4), an ARC (.gz) or a WACZ"
        raise UsageError(f"{path} is not {kinds}; name files that hold captures")
    if is_zip:
        _require_members(path)


def _require_members(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as container:
            members, absent = _members(container), list(_absent(container))
    except _FAULTS as error:
        raise UsageError(f"{path} cannot be read as a WACZ: {error}") from None
    if not members and absent:
        raise UsageError(f"{path} holds no captures, it only names them: {absent[0]}; download and import these")
    if not members:
        raise UsageError(f"{path} is a ZIP file without WARCs or ARCs; a WACZ has them in archive/")


def open_warcs(path: Path) -> Iterator[Part]:
    """Name and stream of each WARC, the file itself or those in a WACZ; a sentence if one cannot be read."""
    with path.open("rb") as stream:
        if stream.read(4) == _ZIP:
            yield from _inside(stream, path.name, 1)
        else:
            yield path.name, stream


def _inside(stream: BinaryIO, name: str, depth: int) -> Iterator[Part]:
    try:
        container = zipfile.ZipFile(stream)
    except _FAULTS as error:
        yield name, f"cannot be read as a WACZ: {error}"
        return
    with container:
        for member in _members(container):
            yield from _part(container, member, f"{name}/{member.filename}", depth)
        for absent in _absent(container):
            yield f"{name}/{_INVENTORY}", f"it names {absent}, which is not in the file; download and import that too"


def _part(container: zipfile.ZipFile, member: zipfile.ZipInfo, name: str, depth: int) -> Iterator[Part]:
    try:
        stream = _open(container, member)
    except _FAULTS as error:
        yield name, f"cannot be unpacked: {error}"
        return
    with closing(stream):
        if not member.filename.endswith(_WACZ):
            yield name, stream
        elif depth < _DEEPEST:
            yield from _inside(stream, name, depth + 1)
        else:
            yield name, "packed too deep; unpack the file and import this one by itself"


def _members(container: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    return [member for member in container.infolist() if member.filename.endswith((*_WARCS, _WACZ))]


def _absent(container: zipfile.ZipFile) -> Iterator[str]:
    """Names or addresses of the WARCs and WACZs that a package lists but does not hold."""
    held = {member.filename for member in _members(container)}
    for resource in _resources(container):
        path, name = (str(resource.get(key) or "") for key in ("path", "name"))
        address = path.partition("?")[0]  # the rest of a signed address is secret
        if address.endswith((*_WARCS, _WACZ)) and not {path, name} & held:
            yield address


def _resources(container: zipfile.ZipFile) -> list[dict[str, Any]]:
    try:
        if container.getinfo(_INVENTORY).file_size > _LARGEST_INVENTORY:
            return []
        resources = json.loads(container.read(_INVENTORY))["resources"]
    except (*_FAULTS, KeyError, TypeError):
        return []  # the captures themselves count
    return [resource for resource in resources if isinstance(resource, dict)] if isinstance(resources, list) else []


# -- members of ZIP files ----------------------------------------------------------------------------------------------


class _Window(io.RawIOBase):
    """Part of a file as a file of its own: a member stored without compression can be read from any place."""

    def __init__(self, file: BinaryIO, start: int, length: int) -> None:
        self._file, self._start, self._length = file, start, length
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._position = max(
            offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._length}[whence], 0
        )
        return self._position

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)[: max(self._length - self._position, 0)]
        self._file.seek(self._start + self._position)
        data = self._file.read(len(view))
        view[: len(data)] = data
        self._position += len(data)
        return len(data)


def _open(container: zipfile.ZipFile, member: zipfile.ZipInfo) -> BinaryIO:
    file = container.fp
    if member.compress_type == zipfile.ZIP_STORED and not member.flag_bits & _ENCRYPTED and file is not None:
        source = cast("BinaryIO", file)
        source.seek(member.header_offset)
        header = source.read(_HEADER)
        if len(header) == _HEADER and header.startswith(_ZIP):
            names = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
            start = member.header_offset + _HEADER + names
            return io.BufferedReader(_Window(source, start, member.file_size))
    packed = container.open(member)
    packed._expected_crc = None  # type: ignore[attr-defined]  # noqa: SLF001 - else one flipped bit loses all
    return cast("BinaryIO", packed)
