"""PNG files without their notes: what a picture says about itself must not keep it from being decoded.

Pillow gives up on text or profiles that unpack to more than a megabyte, which photo editors do write (XMP with the
history of all edits). Colour profiles are kept and bounded here; text is dropped before decoding.
PNG specification, third edition: https://www.w3.org/TR/png-3/#5Chunk-layout
"""

import zlib

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_LARGEST_PROFILE = 16 * 2**20
"""Profiles of printers with large tables have 2 to 8 MB."""
_SMALL = 64 * 1024
"""Longer plain text is dropped; by hand, far below the megabyte at which Pillow gives up."""


def lean_png(data: bytes) -> tuple[bytes, bytes | None]:
    """(the PNG without packed or long text and without a profile, the profile or None); other data as it is.

    A file that is damaged is handed on as it is: the decoder says what is wrong with it.
    """
    if not data.startswith(_SIGNATURE):
        return data, None
    kept: list[memoryview] = []
    view, place, start, profile = memoryview(data), len(_SIGNATURE), 0, None
    while place + 12 <= len(data):
        length, kind = int.from_bytes(view[place : place + 4]), bytes(view[place + 4 : place + 8])
        end = place + 12 + length
        if end > len(data):
            break
        body = view[place + 8 : end - 4]
        if kind == b"iCCP" or (kind in (b"zTXt", b"iTXt", b"tEXt") and _is_heavy(kind, body)):
            if kind == b"iCCP":
                profile = _profile(bytes(body))
            kept.append(view[start:place])
            start = end
        if kind == b"IEND":
            break
        place = end
    if not start:
        return data, None
    return b"".join([*kept, view[start:]]), profile


def _is_heavy(kind: bytes, body: memoryview) -> bool:
    if kind == b"zTXt" or len(body) > _SMALL:
        return True
    _name, _, rest = bytes(body[:100]).partition(b"\0")
    return kind == b"iTXt" and rest[:1] != b"\0"


def _profile(body: bytes) -> bytes | None:
    """The unpacked ICC profile, None where it is damaged or too large to be one."""
    _name, _, packed = body.partition(b"\0")
    unpacker = zlib.decompressobj()
    try:
        content = unpacker.decompress(packed[1:], _LARGEST_PROFILE)
    except zlib.error:
        return None
    return content if unpacker.eof else None
