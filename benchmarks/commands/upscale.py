"""What `python -m benchmarks.upscale` measures: the widths of outlines."""

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from configs.settings import default_settings
from inference.local import LocalGenerator
from inference.models.profiles import load_profile
from inference.prompt import build_prompt
from inference.types import PortraitRequest
from inference.upscale.enlarge import WEIGHTS, apply
from inference.upscale.photographic import is_photographic
from training.demo.drawing.illustrator import draw
from training.demo.drawing.things import THINGS

RISE = 90  # of 255, by hand: an edge that rises by more is a strong one; less counts shading too
Enlarge = Callable[[Image.Image], Image.Image]


def edge_widths(image: Image.Image) -> NDArray[np.float64]:
    """The widths in pixels of all strong edges that are crossed along the rows."""
    values = np.asarray(image.convert("L")).astype(np.int32)
    widths = []
    for row in values:
        slopes = np.diff(row)
        rising = np.concatenate(([0], (slopes > 0).astype(np.int8), [0]))
        starts, ends = np.flatnonzero(np.diff(rising) == 1), np.flatnonzero(np.diff(rising) == -1)
        for start, end in zip(starts, ends, strict=True):
            rise = row[end] - row[start]
            if rise > RISE:
                widths.append(rise / slopes[start:end].max())
    return np.array(widths)


def width(images: list[Image.Image]) -> float:
    """The median width of the pictures' edges."""
    return statistics.median(float(np.median(edge_widths(image))) for image in images)


def portraits(lora: str, count: int) -> list[Image.Image]:
    """By the demo FLUX, of as many things."""
    settings = default_settings()
    local = settings.local.model_copy(update={"lora": lora})
    generator = LocalGenerator(load_profile("demo"), local)
    things = list(THINGS)[:: max(1, len(THINGS) // count)][:count]
    with generator:
        return [
            generator.generate(PortraitRequest(build_prompt(thing, settings.prompt), 4000 + i)).image
            for i, thing in enumerate(things)
        ]


def lanczos(factor: int) -> Enlarge:
    """Lanczos, `factor` times larger."""
    return lambda image: image.resize((image.width * factor, image.height * factor), Image.Resampling.LANCZOS)


def thrice(image: Image.Image) -> Image.Image:
    """256 to 4096 as prints do it."""
    return apply(apply(apply(image).reduce(2)).reduce(2))


def timed(enlarge: Enlarge, images: list[Image.Image]) -> tuple[list[Image.Image], float]:
    """The enlarged pictures, and the CPU seconds that one takes."""
    started = time.process_time()
    larger = [enlarge(image) for image in images]
    return larger, (time.process_time() - started) / len(images)


def run(args: argparse.Namespace) -> None:
    """Draw, enlarge, measure, print the tables."""
    kinds = {
        "demo portraits, no LoRA": portraits("none", args.count),
        "demo portraits, with the LoRA": portraits("", args.count),
    }
    fresh = [draw(80_000_000 + i, size=1024, supersample=2).image for i in range(args.count)]
    apply(fresh[0].reduce(16))
    print(f"{WEIGHTS.stat().st_size / 1000:.0f} KB of weights\n")
    print("| outlines at 1024, pixels | Lanczos | network | CPU s a picture |\n| --- | --- | --- | --- |")
    crops = []
    for kind, images in kinds.items():
        sharp, seconds = timed(apply, images)
        smooth = [lanczos(4)(image) for image in images]
        print(f"| {kind}, {len(images)} | {width(smooth):.2f} | {width(sharp):.2f} | {seconds:.2f} |")
        crops += list(zip(smooth, sharp, strict=True))[:4]
    print(f"| drawings at 1024, {len(fresh)} | | {width(fresh):.2f} (as drawn) | |")
    print("\n| outlines at 4096, pixels | Lanczos | network | CPU s a print |\n| --- | --- | --- | --- |")
    chains = [(kind, images, 16, thrice) for kind, images in kinds.items()] + [("drawings of 1024", fresh, 4, apply)]
    for kind, images, factor, enlarge in chains:
        chosen = images[: args.prints]
        sharp, seconds = timed(enlarge, chosen)
        smooth = [lanczos(factor)(image) for image in chosen]
        print(f"| {kind}, {len(chosen)} | {width(smooth):.2f} | {width(sharp):.2f} | {seconds:.2f} |")
        crops += list(zip(smooth, sharp, strict=True))[:1]
    every = [image for images in kinds.values() for image in images]
    photographic = sum(map(is_photographic, [*every, *fresh]))
    print(f"\ntaken for photographs: {photographic} of {len(every) + len(fresh)}")
    if args.sheet:
        sheet(crops).save(args.sheet)


def sheet(pairs: list[tuple[Image.Image, Image.Image]], side: int = 320) -> Image.Image:
    """The middle of each picture by Lanczos and by the network, side by side, four pairs of each a row."""
    page = Image.new("RGB", (4 * side, -(-len(pairs) // 2) * side), "white")
    for i, pair in enumerate(pairs):
        for j, image in enumerate(pair):
            left, top = (image.width - side) // 2, round(image.height * 0.42) - side // 2
            page.paste(image.crop((left, top, left + side, top + side)), ((i % 2 * 2 + j) * side, i // 2 * side))
    return page
