"""A finished badge as the files that people use: PNG, JPEG and WebP for chat, sticker, print PNG and PDF.

Everything returns bytes, the same for the same badge. Metadata of the portrait is left behind. A transparent
badge (style round) keeps its transparency in PNG, WebP and stickers, and is laid on white in JPEG and PDF.
"""

import io

from PIL import Image

from overlay.drawing.cutout import cut_out
from overlay.errors import InvalidImage

DPI = 300  # what printers commonly ask for
PNG_OPTIONS: dict[str, int] = {"compress_level": 6, "compress_type": 3}
"""Run lengths and Huffman codes (zlib's Z_RLE) after PNG's filters: a third of the time of zlib's default for 6% more
bytes on the demo's badges, 1% on noisy pictures, a quarter on flat drawings (`benchmarks.banner --names 200`)."""
STICKER_SIDE = 512
STICKER_BYTES = 512 * 1024
"""Telegram: one side exactly 512 pixels, the other at most that; at most 512 KB (core.telegram.org/stickers)."""
PAPER = (255, 255, 255)


def to_png(badge: Image.Image) -> bytes:
    """The badge as PNG, lossless."""
    return _saved(_bare(badge), format="PNG", **PNG_OPTIONS)


def to_jpeg(badge: Image.Image, quality: int = 92) -> bytes:
    """The badge as JPEG for chat: the fastest to write; transparency becomes white."""
    return _saved(_opaque(badge), format="JPEG", quality=quality, subsampling=0)


def to_webp(badge: Image.Image, quality: int = 90) -> bytes:
    """The badge as WebP for chat, transparency kept."""
    return _saved(_bare(badge), format="WEBP", quality=quality, method=2)


def to_sticker(badge: Image.Image) -> bytes:
    """The badge as a Telegram sticker: WebP, its longer side 512 pixels, at most 512 KB, transparent outside.

    A plain background is flooded away and a white line drawn around figure and banner; on a background that is not
    plain the sticker is a rounded square with that line. A round badge keeps its own edge.
    """
    picture = cut_out(badge)
    visible = picture.getbbox(alpha_only=True)
    if visible is None:
        raise InvalidImage("the badge is fully transparent: there is nothing to make a sticker of")
    left, top, right, bottom = visible
    scale = STICKER_SIDE / max(right - left, bottom - top)
    size = max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale))
    # Shrinking premultiplied keeps what is hidden under transparent pixels out of the edges.
    small = picture.convert("RGBa").resize(size, Image.Resampling.LANCZOS, visible).convert("RGBA")
    for quality in (92, 85, 75, 60, 40, 20):
        data = _saved(small, format="WEBP", quality=quality, method=4)
        if len(data) <= STICKER_BYTES:
            return data
    raise InvalidImage("the badge cannot be made a sticker of at most 512 KB")


def to_print_png(badge: Image.Image, dpi: int = DPI) -> bytes:
    """A badge from `draw_print` as PNG that states its resolution, so that it prints at its true size."""
    return _saved(_bare(badge), format="PNG", dpi=(dpi, dpi), **PNG_OPTIONS)


def to_print_pdf(badge: Image.Image, title: str = "Badge", dpi: int = DPI) -> bytes:
    """A badge from `draw_print` as a PDF of one page, as large as the badge at `dpi`; no dates, so it is repeatable."""
    return _saved(
        _opaque(badge), format="PDF", resolution=float(dpi), quality=95, subsampling=0, title=title,
        creationDate=None, modDate=None,
    )  # fmt: skip


def _bare(badge: Image.Image) -> Image.Image:
    """The pixels as RGB or RGBA, without any metadata."""
    picture = badge.convert("RGBA" if badge.mode in ("RGBA", "LA", "PA") else "RGB")
    if picture is badge or picture.info:
        picture = picture.copy()
        picture.info = {}
    return picture


def _opaque(badge: Image.Image) -> Image.Image:
    """The pixels as RGB on white."""
    picture = _bare(badge)
    if picture.mode == "RGB":
        return picture
    paper = Image.new("RGB", picture.size, PAPER)
    paper.paste(picture, (0, 0), picture)
    return paper


def _saved(picture: Image.Image, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, **options)  # type: ignore[arg-type]
    return buffer.getvalue()
