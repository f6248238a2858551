"""The part of `python -m bot --check` about what a community asks of its bot; a line for each setting that is used."""

from io import BytesIO
from pathlib import Path

from PIL import Image

from bot.community.examples import example_for
from bot.operations.finding import BAD, GOOD, Finding
from configs.settings import Settings


def community(settings: Settings) -> list[Finding]:
    """The findings, none about what is not switched on."""
    return [_welcome(settings)]


def _welcome(settings: Settings) -> Finding:
    examples = settings.bot.welcome.examples
    for number, name in enumerate(examples or ("",)):
        example = example_for(settings.bot.welcome, number)
        if example is None:
            return Finding("welcome", BAD, f"{name} cannot be read", "see to the files in bot.welcome.examples")
        try:
            with Image.open(BytesIO(example.photo), formats=("JPEG", "PNG")) as image:
                image.load()
        except (OSError, Image.DecompressionBombError):
            return Finding(
                "welcome", BAD, f"{Path(name).name} is no JPEG or PNG", "put other files into bot.welcome.examples"
            )
    return Finding("welcome", GOOD, f"{len(examples)} examples of your own" if examples else "the example that ships")
