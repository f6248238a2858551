"""What `python -m benchmarks.banner.gallery` draws."""

from pathlib import Path

from PIL import Image

from overlay import draw_banner
from training.demo.drawing.illustrator import draw

PAGE = (127, 165, 203)
TEXTS = {"ribbon": "UX SCOUT", "arc": "TEAM LEAD", "plate": "ГЛАВНЫЙ АРХИТЕКТОР", "round": "UX SCOUT",
         "flat": "DESIGN SYSTEMS TEAM", "pin": "QA GUILD"}  # fmt: skip
CAST = {
    "ribbon": (7, "samurai warrior", "telescope"), "arc": (21, "wizard", "potion"), "plate": (4, "knight", "sword"),
    "round": (12, "samurai warrior", "trophy"), "flat": (33, "astronaut", "laptop"),
    "pin": (7, "samurai warrior", "lamp"),
}  # fmt: skip
SIZES = (320, 160, 128)  # by hand: whether letters can be read on a small badge
SCRIPTS = (
    "Łódź ÀÉÎ ß", "Қазақстан ӘҢ", "Їжак і Ґанок", "ΣΟΦΙΑ Ωμέγα",
    "כבוד האדריכל", "كبير المهندسين", "UX 42 كبير", "वास्तुकार",
    "武士デザイナー", "首席设计师", "수석 디자이너", "นักออกแบบ",
    "ქართული", "Հայերեն", "🥷 UX SCOUT ⚔️🇯🇵", "👩🏽‍🚀 👨‍👩‍👧‍👦 🏳️‍🌈 ❤️",
    "I", "ПРЕВЫСОКОМНОГОРАССМОТРИТЕЛЬСТВУЮЩИЙ", "Старший инженер по надёжности ИИ-систем", "Tiếng Việt",
)  # fmt: skip
"""Two columns; what they show: accents, Kazakh, Ukrainian, Greek, both directions and mixed, Indic, CJK, emoji, fit."""


def portrait(style: str, side: int = 1024) -> Image.Image:
    """The illustrator's drawing that shows this style."""
    seed, who, thing = CAST[style]
    return draw(seed, who, thing, size=side, supersample=3).image


def shrunk(badge: Image.Image, side: int) -> Image.Image:
    """The badge on the page's colour at `side` pixels."""
    page = Image.new("RGBA", badge.size, (*PAGE, 255))
    page.alpha_composite(badge.convert("RGBA"))
    return page.convert("RGB").resize((side, side), Image.Resampling.LANCZOS)


def run(out: Path) -> None:
    """Draw everything into the folder."""
    out.mkdir(parents=True, exist_ok=True)
    badges = {style: draw_banner(portrait(style), text, style) for style, text in TEXTS.items()}
    for style, badge in badges.items():
        badge.save(out / f"{style}.webp", quality=86, method=6)

    gap = 16
    sheet = Image.new("RGB", (len(badges) * (320 + gap) + gap, sum(SIZES) + gap * (len(SIZES) + 1)), PAGE)
    for column, badge in enumerate(badges.values()):
        y = gap
        for side in SIZES:
            sheet.paste(shrunk(badge, side), (gap + column * (320 + gap) + (320 - side) // 2, y))
            y += side + gap
    sheet.save(out / "sizes.webp", quality=92, method=6)

    width, height = 480, 142
    grounds = ((250, 246, 232), (31, 41, 72), (226, 244, 234), (74, 28, 34))
    sheet = Image.new("RGB", (2 * width, len(SCRIPTS) // 2 * height), PAGE)
    for k, text in enumerate(SCRIPTS):
        badge = draw_banner(Image.new("RGB", (1024, 1024), grounds[(k + k // 2) % 4]), text)
        strip = badge.crop((0, 720, 1024, 1024)).resize((width, round(width * 304 / 1024)), Image.Resampling.LANCZOS)
        sheet.paste(strip.crop((0, 0, width, height)), (k % 2 * width, k // 2 * height))
    sheet.save(out / "scripts.webp", quality=88, method=6)
