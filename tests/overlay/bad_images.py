"""A hundred awkward and broken pictures, made here from a seed: what each is called, its bytes, whether it is sound."""

import io
import random
import struct
import zlib

from PIL import Image

from tests.overlay import portraits


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)  # type: ignore[arg-type]
    return buffer.getvalue()


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few hundred bytes that claims so many black pixels, and has the rows to go with some of them."""

    def chunk(tag: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + tag + data + struct.pack(">I", zlib.crc32(tag + data))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * (1 + min(width, 65_536) // 8) * 64, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def turned(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return saved(portraits.light(160).resize((160, 96)), "JPEG", exif=exif)


def sound() -> dict[str, bytes]:
    """Unusual pictures that must be taken."""
    picture = portraits.light(128)
    clear = picture.copy()
    clear.putalpha(Image.linear_gradient("L").resize(picture.size))
    deep = Image.new("I;16", (96, 96), 40_000)
    frames = [portraits.light(96), portraits.dark(96)]
    found = {
        "palette": saved(picture.quantize(16), "PNG"),
        "palette with transparency": saved(clear.quantize(16), "PNG"),
        "palette gif": saved(picture.quantize(8), "GIF", transparency=0),
        "cmyk": saved(picture.convert("CMYK"), "JPEG"),
        "cmyk tiff": saved(picture.convert("CMYK"), "TIFF"),
        "16-bit grey": saved(deep, "PNG"),
        "grey": saved(picture.convert("L"), "PNG"),
        "one bit": saved(picture.convert("1"), "PNG"),
        "grey with alpha": saved(clear.convert("LA"), "PNG"),
        "rgba": saved(clear, "PNG"),
        "rgba webp": saved(clear, "WEBP"),
        "animated gif": saved(frames[0], "GIF", save_all=True, append_images=frames[1:]),
        "animated webp": saved(frames[0], "WEBP", save_all=True, append_images=frames[1:]),
        "animated png": saved(frames[0], "PNG", save_all=True, append_images=frames[1:]),
        "float tiff": saved(picture.convert("F"), "TIFF"),
        "bmp": saved(picture, "BMP"),
        "long": saved(picture.resize((64, 3000)), "PNG"),
        "grey float": saved(picture.convert("L").convert("I"), "TIFF"),
    }
    return found | {f"exif orientation {k}": turned(k) for k in range(1, 9)}


def broken() -> dict[str, bytes]:
    """Files that must be refused."""
    rng = random.Random(3)
    picture = portraits.light(128)
    whole = {kind: saved(picture, kind) for kind in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")}
    found = {
        "empty": b"",
        "text": b"not a picture at all",
        "svg": b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
        "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\nshowpage\n",
        "zip": b"PK\x03\x04" + rng.randbytes(200),
        "tiny": saved(picture.resize((20, 20)), "PNG"),
        "thin": saved(picture.resize((3000, 2)), "PNG"),
        "bomb of 21 megapixels": bomb(5000, 4200),
        "bomb of 100 megapixels": bomb(10_000, 10_000),
        "bomb of 170 megapixels": bomb(13_000, 13_100),
        "bomb of 4 gigapixels": bomb(65_000, 65_000),
        "negative size": bomb(2**31 - 1, 2**31 - 1),
        "too few rows": bomb(512, 4096),
    }
    for kind, data in whole.items():
        for share in (0.05, 0.3, 0.6, 0.9):
            found[f"{kind} cut at {share:.0%}"] = data[: int(len(data) * share)]
    for k in range(20):
        found[f"noise {k}"] = rng.randbytes(rng.randint(1, 4000))
    for k, (kind, data) in enumerate(sorted(whole.items()) * 3):
        at = rng.randint(0, 24)
        found[f"{kind} with a spoilt head {k}"] = data[:at] + rng.randbytes(24) + data[at + 24 :]
    return found
