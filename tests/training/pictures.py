"""Pictures and jobs for training tests: small, drawn here, no two alike."""

from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from configs import default_settings
from training.job import TrainingJob, make_job

THINGS = ("sword", "scroll", "lamp", "kite", "drum", "book", "cup", "bell")
TRIGGER = "aidbox_samurai_style"


def draw_picture(number: int, side: int = 256) -> Image.Image:
    """A figure on a calm ground, another one for each number."""
    image = Image.new("RGB", (side, side), (240, 235, 225))
    draw = ImageDraw.Draw(image)
    x, y = side * (0.2 + 0.15 * (number % 3)), side * (0.15 + 0.1 * (number % 4))
    colour = (200, 37 * number % 255, 91 * number % 255)
    draw.ellipse((x, y, x + side * 0.3, y + side * 0.4), fill=colour, outline="black", width=3)
    x, y = side * (0.12 + 0.12 * (number % 5)), side * (0.55 + 0.05 * (number % 6))
    draw.rectangle((x, y, x + side * 0.25, y + side * 0.2), fill=colour[::-1], outline="black", width=3)
    return image


def fill_folder(folder: Path, count: int = 6, side: int = 256, captions: bool = True) -> Path:
    """`count` pictures with captions."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        stem = folder / f"samurai_with_{THINGS[number % len(THINGS)]}{'' if number < len(THINGS) else f'_{number}'}"
        draw_picture(number, side).save(stem.with_suffix(".png"))
        if captions:
            thing = THINGS[number % len(THINGS)]
            stem.with_suffix(".txt").write_text(f"{TRIGGER}, samurai warrior badge, character holding {thing}\n")
    return folder


def job_for(**values: Any) -> TrainingJob:
    """A job that takes a second: a dozen steps at 64 and 96 pixels."""
    settings = default_settings()
    small: dict[str, Any] = {
        "profile": "tiny", "steps": 12, "resolutions": (64, 96), "save_every": 4, "sample_every": 0, "log_every": 3,
        "rank": 4, "batch": 2, "held_out": 1, "learning_rate": 5e-3, "threads": 1, "device": "cpu", "warmup": 2,
    }  # fmt: skip
    return make_job(settings.training, settings.prompt, **(small | values))
