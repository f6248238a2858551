"""Ten thousand strings that nobody should type, from a seed; and a run over them that ends in one digest.

As a program, `python -m tests.overlay.hostile MEGABYTES` does the run in a process that may not grow beyond so
much memory, and prints the digest: two runs must print the same.
"""

import hashlib
import random
import sys

COUNT = 10_000
DRAWN_EVERY = 100


def _controls(rng: random.Random) -> str:
    return "".join(
        chr(rng.choice([rng.randint(0, 31), rng.randint(0x7F, 0x9F), 65])) for _ in range(rng.randint(1, 30))
    )


def _bidi(rng: random.Random) -> str:
    marks = "\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    return "".join(rng.choice(marks + "aשع1 )(") for _ in range(rng.randint(1, 45)))


def _surrogates(rng: random.Random) -> str:
    return "".join(rng.choice([chr(rng.randint(0xD800, 0xDFFF)), "a", " "]) for _ in range(rng.randint(1, 20)))


def _zalgo(rng: random.Random) -> str:
    marks = [chr(rng.randint(0x300, 0x36F)) for _ in range(rng.randint(1, 60))]
    return "".join(
        c + "".join(rng.sample(marks, min(len(marks), rng.randint(0, 40)))) for c in "UX SCOUT"[: rng.randint(1, 8)]
    )


def _huge(rng: random.Random) -> str:
    return rng.choice(["A", "🥷", "é", " ", "\u0301", "﷽", "\u202e"]) * rng.choice([41, 500, 2001, 200_000])


def _private(rng: random.Random) -> str:
    areas = ((0xE000, 0xF8FF), (0xF0000, 0xFFFFD), (0x100000, 0x10FFFD))
    return "".join(
        chr(rng.randint(*rng.choice(areas))) if rng.random() < 0.7 else "x" for _ in range(rng.randint(1, 12))
    )


def _anything(rng: random.Random) -> str:
    return "".join(chr(rng.randint(0, 0x10FFFF)) for _ in range(rng.randint(1, 12)))


def _scripts(rng: random.Random) -> str:
    starts = (0x41, 0x400, 0x5D0, 0x620, 0x900, 0x980, 0xB80, 0xE00, 0x1000, 0x1780, 0x3040, 0x4E00, 0xAC00, 0x1F300)
    start = rng.choice(starts)
    return "".join(chr(start + rng.randint(0, 0x5F)) if rng.random() < 0.9 else " " for _ in range(rng.randint(1, 40)))


def _emoji(rng: random.Random) -> str:
    parts = [
        "👨",
        "👩",
        "🏽",
        "\u200d",
        "\ufe0f",
        "🇯",
        "🇵",
        "🏴",
        "\U000e0067",
        "\U000e007f",
        "1",
        "\u20e3",
        "❤",
        "🚀",
        "a",
    ]
    return "".join(rng.choice(parts) for _ in range(rng.randint(1, 30)))


def _invisible(rng: random.Random) -> str:
    parts = "\u00ad\u034f\u115f\u1160\u17b4\u180e\u200b\u2060\u2800\u3164\ufeff\uffa0\ufff9\u2028\x85 a"
    return "".join(rng.choice(parts) for _ in range(rng.randint(1, 20)))


KINDS = (_controls, _bidi, _surrogates, _zalgo, _huge, _private, _anything, _scripts, _scripts, _emoji, _invisible)


def strings(count: int = COUNT, seed: int = 11) -> list[str]:
    rng = random.Random(seed)
    return [KINDS[k % len(KINDS)](rng) for k in range(count)]


def run() -> tuple[str, int]:
    """(digest of every outcome, how many were laid out): numbers of each layout, pixels of some, messages of errors."""
    from overlay import STYLES, BannerError, InvalidText, clean_text, draw_banner, open_portrait
    from overlay.text.layout import lay_out
    from tests.overlay import bad_images, portraits

    digest, good = hashlib.sha256(), 0
    portrait, names = portraits.light(192), list(STYLES)
    for k, typed in enumerate(strings()):
        try:
            layout = lay_out(clean_text(typed), STYLES[names[k % len(names)]])
            numbers = [(g.glyph.index, round(g.s, 6), round(g.t, 6)) for g in layout.glyphs]
            outcome = repr((layout.lines, layout.ink, layout.plate_width, numbers))
            good += 1
            if good % DRAWN_EVERY == 0:
                digest.update(draw_banner(portrait, typed, names[k % len(names)]).tobytes())
        except InvalidText as error:
            outcome = str(error)
            assert outcome.isprintable(), ascii(outcome)
            assert len(outcome) < 600
        digest.update(outcome.encode())
    for data in (bad_images.sound() | bad_images.broken()).values():
        try:
            digest.update(draw_banner(open_portrait(data), "QA").tobytes())
        except BannerError as error:
            digest.update(str(error).encode())
    return digest.hexdigest(), good


if __name__ == "__main__":
    if sys.platform == "linux":  # macOS does not keep to this limit
        import resource

        limit = int(sys.argv[1]) * 2**20
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    print(*run())
