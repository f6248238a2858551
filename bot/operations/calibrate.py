"""`python -m bot --calibrate-filter DIR`: the threshold of the picture filter, from pictures that it must let through.

The available filters were trained on photographs; drawings may get high scores though nothing is wrong with them. The
threshold is halfway between the highest score of the given pictures (such as the training set of the style) and 1.
"""

import sys
from pathlib import Path

from bot.errors import StartError
from configs.console import DONE
from configs.printable import printable
from configs.settings import Settings
from inference.wrappers.filtering import PictureFilter
from overlay import InvalidImage
from overlay.images import open_image

_ENDINGS = frozenset({".png", ".jpg", ".jpeg", ".webp"})
_LISTED = 5  # highest scores that are printed
_TOO_HIGH = 0.9
"""Highest score at which a threshold is still suggested, chosen by hand: above it the threshold would be over 0.95 and
let almost everything pass, so the model does not suit the style."""


def main(settings: Settings, folder: Path) -> int:
    """Print the highest scores and the threshold. Raises StartError without a filter or pictures."""
    bot = settings.bot
    if not bot.picture_filter:
        raise StartError("bot.picture_filter is not set: name a model, such as Falconsai/nsfw_image_detection")
    if not folder.is_dir():
        raise StartError(f"--calibrate-filter {folder}: there is no such folder")
    judge = PictureFilter(bot.picture_filter, bot.picture_labels, settings.secrets.hf_token.get_secret_value())
    scores: list[tuple[float, str]] = []
    for file in sorted(folder.iterdir()):
        if file.suffix.lower() in _ENDINGS and file.is_file() and not file.is_symlink():
            try:
                scores.append((judge.score(open_image(file).image), file.name))
            except InvalidImage as error:
                sys.stderr.write(f"left out: {error}\n")
    if not scores:
        raise StartError(f"--calibrate-filter {folder}: there is no picture in it (png, jpg, webp)")
    scores.sort(reverse=True)
    highest = scores[0][0]
    lines = [f"{len(scores)} pictures, scored by {bot.picture_filter}; the highest:"]
    lines += [f"  {score:.3f}  {printable(name)}" for score, name in scores[:_LISTED]]
    if highest >= _TOO_HIGH:
        lines.append(f"It gives a picture that you want {highest:.2f}: take another model for this style.")
    else:
        lines.append(f"bot.picture_threshold = {(highest + 1) / 2:.2f}")
    sys.stdout.write("\n".join(lines) + "\n")
    return DONE
