"""Makes the font files of this folder from the packages they come from. Run by hand, never at run time.

    python fonts/build.py PACKAGES

PACKAGES holds the unpacked packages, each in a folder of its own, as the table in README.md names them:
wheels and .deb files unpacked as they are (`unzip`, `dpkg -x`), npm packages as `npm pack` leaves them
(`tar xzf`). Needs fonttools and brotli. A file whose licence reserves its name is copied byte for byte;
others are cut down to what a banner needs (no hinting, one weight, the listed characters), keep their
names and copyright, and say so in README.md. The output depends on nothing but the input.
"""

import argparse
import bz2
import logging
import shutil
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont
from fontTools.varLib import instancer

HERE = Path(__file__).resolve().parent
NOTO = "usr/share/fonts/truetype/noto"
CJK = "usr/share/fonts/opentype/noto/NotoSansCJK-Black.ttc"
log = logging.getLogger("fonts.build")

CORE = (
    "Arabic-Black", "Armenian-Black", "Bengali-Bold", "Ethiopic-Black", "Georgian-Black", "Gujarati-Bold",
    "Gurmukhi-Bold", "Javanese-Bold", "Kannada-Bold", "Khmer-Bold", "Lao-Black", "Malayalam-Bold", "Myanmar-Bold",
    "Oriya-Bold", "Sinhala-Bold", "Tamil-Bold", "Telugu-Bold", "Thaana-Black", "Thai-Black", "Cherokee-Black",
)  # fmt: skip

SYMBOLS = [*range(0x2000, 0x2C00), *range(0x1F100, 0x1F200), *range(0x1F780, 0x1F800)]


def hanzi(unihan: Path) -> set[int]:
    """The Chinese characters that people have in their names, of the main block (U+4E00 to U+9FFF) and extension A.

    All of GB 2312, Big5, the General Standard Chinese Characters of 2013 (whose third level was made for names) with
    their traditional forms, IICore, the letters that Hong Kong schools teach, those allowed in Korean names, and the
    entries of Xiandai Hanyu Cidian. `unihan` is the folder of the Unihan_*.txt.bz2 files (UAX #38).
    """
    fields: dict[str, dict[int, str]] = {}
    for name in ("OtherMappings", "DictionaryLikeData", "Readings", "Variants", "IRGSources"):
        with bz2.open(unihan / f"Unihan_{name}.txt.bz2", "rt", encoding="utf-8") as lines:
            for line in lines:
                if line.startswith("U+"):
                    code, field, value = line.rstrip("\n").split("\t")
                    fields.setdefault(field, {})[int(code[2:], 16)] = value
    found = {
        code
        for field in ("kBigFive", "kTGH", "kIICore", "kHKGlyph", "kKoreanName", "kXHC1983", "kGB0")
        for code in fields[field]
    }
    for code in fields["kTGH"]:
        found.update(int(value[2:], 16) for value in fields["kTraditionalVariant"].get(code, "").split())
    return {code for code in found if 0x3400 <= code <= 0x9FFF}


def cut(
    font: TTFont, unicodes: set[int] | None, out: Path, drop: tuple[str, ...] = (), features: tuple[str, ...] = ("*",)
) -> None:
    """Write `font` to `out` without hinting, and only with the given characters where some are given."""
    options = subset.Options()
    options.hinting = False
    options.layout_features = list(features)
    options.name_IDs = ["*"]
    options.name_languages = ["*"]
    options.notdef_outline = True
    options.drop_tables += ["DSIG", "FFTM", "MVAR", "STAT", *drop]
    options.legacy_cmap = False
    options.symbol_cmap = False
    options.recalc_timestamp = False
    font.recalcTimestamp = False
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=sorted(unicodes) if unicodes is not None else sorted(font.getBestCmap()))
    cutter.subset(font)
    out.parent.mkdir(exist_ok=True)
    font.flavor = None
    font.save(out)


def main() -> None:
    """Build every file."""
    parser = argparse.ArgumentParser(description="Makes the font files of this folder from their packages.")
    parser.add_argument("packages", type=Path, help="folder of unpacked packages")
    packages = parser.parse_args().packages
    logging.basicConfig(level=logging.INFO, format="%(message)s")

    def source(pattern: str) -> Path:
        found = sorted(packages.glob(f"**/{pattern}"))
        if not found:
            raise SystemExit(f"error: no {pattern} under {packages}: unpack the package that README.md names for it")
        return found[0]

    for folder, pattern in (
        ("russo-one", "RussoOne-Regular.ttf"),
        ("dela-gothic-one", "400Regular/DelaGothicOne_400Regular.ttf"),
    ):
        (HERE / folder).mkdir(exist_ok=True)
        path = source(pattern)
        shutil.copyfile(path, HERE / folder / path.name)

    for folder, pattern, axes, name in (
        ("rubik", "fontpkg_rubik/files/Rubik[[]wght].ttf", {"wght": 900}, "Rubik-Black.ttf"),
        ("noto", "fontpkg_noto_sans/files/NotoSans[[]wdth,wght].ttf", {"wght": 900, "wdth": 100}, "NotoSans-Black.ttf"),
    ):
        variable = TTFont(source(pattern))
        instance = instancer.instantiateVariableFont(variable, axes, updateFontNames=True)
        cut(instance, None, HERE / folder / name)

    for name in CORE:
        cut(TTFont(source(f"{NOTO}/NotoSans{name}.ttf")), None, HERE / "noto" / f"NotoSans{name}.ttf")
    symbols = TTFont(source(f"{NOTO}/NotoSansSymbols-Black.ttf"))
    cut(symbols, set(SYMBOLS) & set(symbols.getBestCmap()), HERE / "noto" / "NotoSansSymbols-Black.ttf")
    symbols = TTFont(source(f"{NOTO}/NotoSansSymbols2-Regular.ttf"))
    cut(symbols, set(SYMBOLS) & set(symbols.getBestCmap()), HERE / "noto" / "NotoSansSymbols2-Regular.ttf")

    punctuation = {
        *range(0x20, 0x7F),
        *range(0x3000, 0x3040),
        *range(0xFF00, 0xFFF0),
        0xB7,
        0x2014,
        0x2018,
        0x2019,
        0x201C,
        0x201D,
        0x2026,
    }
    hangul = {*range(0x1100, 0x1200), *range(0x3130, 0x3190), *range(0xAC00, 0xD7A4)} | punctuation
    bopomofo = {*range(0x3100, 0x3130)}
    vertical = ("vhea", "vmtx", "VORG")
    unihan = source("Unihan_Readings.txt.bz2").parent
    # Without the features that lead to other countries' shapes, vertical or half-width forms: twice the letters.
    plain = ("ccmp", "halt", "kern", "liga", "palt")
    for number, characters, language, features in (
        (1, hangul, "kr", (*plain, "calt", "ljmo", "tjmo", "vjmo")),
        (2, hanzi(unihan) | bopomofo, "sc", plain),
    ):
        font = TTFont(source(CJK), fontNumber=number)
        wanted = (characters | punctuation) & set(font.getBestCmap())
        cut(font, wanted, HERE / "noto-cjk" / f"NotoSansCJK{language}-Black-subset.otf", vertical, features)

    emoji = TTFont(source("files/noto-color-emoji-emoji-400-normal.woff2"))
    for tag in ("SVG ", "vhea", "vmtx"):
        del emoji[tag]
    emoji.flavor = None
    emoji.recalcTimestamp = False
    (HERE / "noto-color-emoji").mkdir(exist_ok=True)
    emoji.save(HERE / "noto-color-emoji" / "NotoColorEmoji-COLRv1.ttf")

    total = 0
    for path in sorted([*HERE.glob("*/*.ttf"), *HERE.glob("*/*.otf")]):
        total += path.stat().st_size
        log.info("%9d  %s", path.stat().st_size, path.relative_to(HERE))
    log.info("%9d  in all", total)


if __name__ == "__main__":
    main()
