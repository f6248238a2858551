"""Pages for the printer: each badge drawn anew at 300 dpi for its size where its portrait is kept."""

import argparse
import re
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from configs.console import DONE
from configs.names import unknown_name
from configs.printable import printable
from configs.settings import Settings, load_settings
from inference.badge import use_own_styles
from inference.errors import InvalidRequest
from inference.files import write_atomically
from inference.output.like import portrait_like
from inference.output.pdf import BUTTONS, PAPERS, Sheet, pixels, sheet_pdf, to_sheet_jpeg
from inference.output.progress import ProgressBars, say
from inference.output.recipe import Recipe, read_recipe
from inference.upscale.enlarge import enlarge
from overlay.button import draw_button, place_on_button
from overlay.images import open_badge
from overlay.styles import style_names

_LENGTH = re.compile(r"(\d+(?:[.,]\d+)?)\s*(mm|cm|in)?", re.IGNORECASE)
_UNITS = {"mm": 1.0, "cm": 10.0, "in": 25.4}
_MOST = 2_000
"""Badges times copies: 50 MB of PDF."""


def run(args: argparse.Namespace) -> int:
    """Do what was asked; returns the exit code. Raises ConfigError, InvalidRequest, BannerError and RenderError."""
    settings = load_settings(args.config)
    use_own_styles(settings)
    sheet = _sheet(args)
    across, down = sheet.grid
    badges = _files(args.badges)
    if not 1 <= args.copies <= _MOST // len(badges):
        raise InvalidRequest(f"--copies {args.copies}: 1 to {max(1, _MOST // len(badges))} of {len(badges)} badges")
    if args.out.suffix.lower() != ".pdf" or args.out.is_dir():
        raise InvalidRequest(f"--out {printable(str(args.out))}: name a .pdf file")
    printer = _Printer(sheet, settings)
    pictures: list[bytes] = []
    with ProgressBars(len(badges)) as progress:
        for badge in badges:
            pictures.append(to_sheet_jpeg(printer.picture(badge)))
            progress.badge()
    args.out.parent.mkdir(parents=True, exist_ok=True)
    data, pages = sheet_pdf(pictures, sheet, args.copies, args.out.stem)
    write_atomically(args.out, data)
    count = len(badges) * args.copies
    say(
        f"{args.out}: {count} badge{'s' * (count != 1)} of {sheet.size:g} mm on {pages} page{'s' * (pages != 1)} of "
        f"{sheet.paper.upper() if sheet.paper == 'a4' else sheet.paper}, {across} x {down} a page; print at 100%"
    )
    return DONE


def _sheet(args: argparse.Namespace) -> Sheet:
    paper, shape = args.paper.lower(), args.shape.lower()
    if paper not in PAPERS:
        raise InvalidRequest(unknown_name("paper", args.paper, list(PAPERS)))
    if shape not in ("round", "square"):
        raise InvalidRequest(unknown_name("shape", args.shape, ["round", "square"]))
    size, bleed = millimetres(args.size, "--size"), millimetres(args.bleed, "--bleed")
    if not 15 <= size <= 250:
        raise InvalidRequest(f"--size {args.size}: 15 to 250 mm; buttons have {', '.join(map(str, BUTTONS))} mm")
    if not 0 <= bleed <= 20:
        raise InvalidRequest(f"--bleed {args.bleed}: 0 to 20 mm")
    return Sheet(paper, size, bleed, args.marks, shape == "round")


def millimetres(text: str, option: str) -> float:
    """A length such as 58, 58mm, 5.8cm or 2.25in in millimetres. Raises InvalidRequest, which names the option."""
    found = _LENGTH.fullmatch(text.strip())
    if not found:
        raise InvalidRequest(f"{option} {printable(text)[:40]}: write a length such as 58mm, 5.8cm or 2.25in")
    return float(found[1].replace(",", ".")) * _UNITS[(found[2] or "mm").lower()]


def _files(paths: Sequence[Path]) -> list[Path]:
    """The files that were named; of a folder its PNG files in the order of their names."""
    found: list[Path] = []
    for path in paths:
        inside = sorted(path.glob("*.png")) if path.is_dir() else [path]
        if not inside:
            raise InvalidRequest(f"{printable(str(path))} holds no PNG files")
        found += inside
    return found


class _Printer:
    """Makes the pictures of a sheet. Many badges may have one portrait: it is looked for and enlarged once."""

    def __init__(self, sheet: Sheet, settings: Settings) -> None:
        self._sheet = sheet
        self._settings = settings
        self._portraits: dict[str, Image.Image | None] = {}
        self._trim = pixels(sheet.size)
        self._bleed = round((pixels(sheet.side) - self._trim) / 2)

    def picture(self, path: Path) -> Image.Image:
        """The badge in the PNG at `path` at the sheet's size, bleed included: drawn anew where its portrait is here."""
        badge = open_badge(path)
        try:
            recipe = read_recipe(path)
        except InvalidRequest:
            recipe = None  # a picture from elsewhere is printed as it is
        trim, bleed, round_ = self._trim, self._bleed, self._sheet.round_
        if recipe is not None and recipe.style in style_names():
            portrait = self._portrait(recipe)
            if portrait is not None:
                return draw_button(portrait, recipe.text, recipe.style, trim=trim, bleed=bleed, round_=round_)
        if max(badge.size) < trim:
            dpi = max(badge.size) / self._sheet.size * 25.4
            say(f"{path}: its portrait is no longer kept, its {max(badge.size)} pixels are {dpi:.0f} dpi at this size")
        return place_on_button(badge, trim=trim, bleed=bleed, round_=round_)

    def _portrait(self, recipe: Recipe) -> Image.Image | None:
        drawn = recipe.model_copy(update={"text": "", "style": "", "key": "", "versions": {}}).model_dump_json()
        if drawn not in self._portraits:
            found = portrait_like(recipe, self._settings)
            side = max(self._settings.banner.size, pixels(self._sheet.side))
            self._portraits[drawn] = enlarge(found, side) if found is not None else None
        return self._portraits[drawn]
