"""The pictures of README.md and docs/training.md: `python -m docs.make_pictures [NAME ...]`, by hand, with Chromium.

`telescope.webp` and `gallery.webp` come from commands that stand in README.md (a test runs them too), `dialogue.webp`
from a conversation of the real bot with somebody on a Bot API on loopback, and those of pages from the commands that
write them.
"""

import base64
import html
import io
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageChops, ImageFilter
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from tests.bot.running import RunningBot
from tests.chromium import screenshot
from tests.fakes.telegram_api import TelegramServer
from tests.fakes.telegram_people import Msg

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
SIDE = 360
GROUNDS = {".sticker.webp": (23, 33, 43)}  # a messenger's dark theme
EMOJI = DOCS.parent / "fonts" / "noto-color-emoji" / "NotoColorEmoji-COLRv1.ttf"
PAGE = f"""<!doctype html><meta charset="utf-8"><style>
@font-face {{ font-family: emoji; src: url({EMOJI.as_uri()}); }}
</style>"""
PAGE += """<style>
body { margin: 0; padding: 18px; width: 384px; background: #d6e3c8;
  font: 16px/1.35 "Noto Sans", "DejaVu Sans", sans-serif, emoji; }
div { max-width: 330px; margin: 0 0 8px; padding: 8px 12px; border-radius: 14px 14px 14px 4px; background: #fff;
  width: fit-content; white-space: pre-wrap; }
div.me { margin-left: auto; border-radius: 14px 14px 4px 14px; background: #e7fbd0; }
div img { display: block; width: 306px; border-radius: 8px; margin: 0 0 6px; }
p { display: flex; flex-wrap: wrap; gap: 5px; margin: -3px 0 10px; max-width: 354px; }
p span { flex: 1 0 auto; padding: 6px 10px; border-radius: 9px; background: #8fae7bcc; color: #fff;
  text-align: center; }
</style>"""


def commands() -> list[list[str]]:
    """The commands of README.md that make its gallery, as words: the block below the picture."""
    text = (DOCS.parent / "README.md").read_text(encoding="utf-8")
    block = re.search(r"docs/gallery\.webp[^\n]*\n+```sh\n(.*?)```", text, re.DOTALL)
    assert block, "README.md has no block of commands below docs/gallery.webp"
    return [shlex.split(line, comments=True) for line in block[1].splitlines() if line]


def gallery() -> None:
    """Draw every picture of the gallery, three in a row."""
    tiles = []
    with tempfile.TemporaryDirectory() as folder:
        for words in commands():
            out = words[words.index("--out") + 1]
            subprocess.run([sys.executable, *words[1:-2], "--out", f"{folder}/{out}"], cwd=DOCS.parent, check=True)
            with Image.open(f"{folder}/{out}") as image:
                picture = image.convert("RGBA").resize((SIDE, SIDE), Image.Resampling.LANCZOS)
            ground = next((rgb for ending, rgb in GROUNDS.items() if out.endswith(ending)), (255, 255, 255))
            tile = Image.new("RGB", picture.size, ground)
            tile.paste(picture, mask=picture.getchannel("A"))
            tiles.append(tile)
    gap, across = 12, 3
    rows = -(-len(tiles) // across)
    sheet = Image.new("RGB", (across * (SIDE + gap) - gap, rows * (SIDE + gap) - gap), "white")
    for number, tile in enumerate(tiles):
        sheet.paste(tile, ((number % across) * (SIDE + gap), number // across * (SIDE + gap)))
    sheet.save(DOCS / "gallery.webp", quality=86, method=6)


def telescope() -> None:
    """The badge of `make demo`, at the top of both READMEs."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["-m", "inference.render", "--generator", "demo", "--object", "telescope", "--text", "UX SCOUT"]
        subprocess.run([sys.executable, *words, "--seed", "1", "--out", f"{folder}/a.png"], cwd=DOCS.parent, check=True)
        with Image.open(f"{folder}/a.png") as image:
            small = image.convert("RGB").resize((840, 840), Image.Resampling.LANCZOS)
    small.save(DOCS / "telescope.webp", quality=88, method=6)


def dialogue() -> None:
    """A conversation with the bot as it really went."""
    with tempfile.TemporaryDirectory() as name, TelegramServer() as server:
        folder = Path(name)
        person = server.person(1, "en")
        with RunningBot(server, folder / "bot", module="bot", banner__size="1024", generator__kind="demo"):
            said: list[tuple[int, str]] = []
            for words in ("/create", "red umbrella", "RAIN OR SHINE"):
                before = len(person.sees())
                said.append((person.say(words), words))
                server.wait(lambda before=before: len(person.sees()) > before, 60, f"an answer to {words}")
            server.wait(lambda: person.badges(), 180, "a badge")
        lines = [(number, f'<div class="me">{html.escape(text)}</div>') for number, text in said]
        lines += [(message.id, _shown(server, message)) for message in person.sees()]
        page = folder / "dialogue.html"
        page.write_text(PAGE + "".join(line for _, line in sorted(lines)), encoding="utf-8")
        shot = screenshot(page, folder / "browser", folder / "dialogue.png", width=420, height=1100)
        with Image.open(shot) as image:
            whole = image.convert("RGB")
        ground = Image.new("RGB", whole.size, whole.getpixel((0, 0)))
        box = ImageChops.difference(whole, ground).getbbox()
        assert box
        whole.crop((0, 0, whole.width, box[3] + 18)).save(DOCS / "dialogue.webp", quality=88, method=6)


def report() -> None:
    """What `training.dataset check` writes about a set with something to find in it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "training_images"
        folder.mkdir()
        ours = sorted((ROOT / "training/demo/training_images").glob("*.png"))[:6]
        for path in ours:
            shutil.copy(path, folder)
        with Image.open(ours[0]) as image:
            image.convert("RGB").filter(ImageFilter.GaussianBlur(9)).save(folder / "IMG_2041.png")
            image.convert("RGB").crop((200, 0, 900, 700)).save(folder / "samurai_with_bow.png")
        _run("training.dataset", "check", "training_images", folder=Path(name))
        _page(Path(name) / "report.html", "report", 900)


def evaluation() -> None:
    """What `training.evaluate` writes about the demo's LoRA, and about it beside one that is far too strong."""
    shipped = "inference/demo_lora/aidbox.safetensors"
    with tempfile.TemporaryDirectory() as name:
        strong, out = Path(name) / "too_strong.safetensors", Path(name) / "compared"
        with safe_open(ROOT / shipped, "np") as file:
            about = file.metadata()
        weights = {key: value * 1.4 if "lora_B" in key else value for key, value in load_file(ROOT / shipped).items()}
        save_file({key: value.astype(np.float16) for key, value in weights.items()}, strong, about)
        _run("training.evaluate", "--lora", shipped, "--lora", strong, "--out", out, "--seeds", "1", "--scales", "1.0")
        _page(out / "aidbox/index.html", "evaluation", 1000)
        _page(out / "index.html", "comparison", 1000)


def _run(module: str, *arguments: object, folder: Path = ROOT) -> None:
    subprocess.run([sys.executable, "-m", module, *map(str, arguments)], check=True, cwd=folder)


def _page(page: Path, name: str, height: int) -> None:
    """A page as a window shows it, made smaller."""
    text = page.read_text(encoding="utf-8").replace(str(page.parent.parent) + "/", "")
    page.write_text(text, encoding="utf-8")
    shot = screenshot(page, page.parent / "browser", page.parent / "shot.png", width=1100, height=height)
    with Image.open(shot) as image:
        small = image.convert("RGB").resize((880, height * 880 // 1100), Image.Resampling.LANCZOS)
    small.save(DOCS / f"{name}.webp", quality=72, method=6)


def _shown(server: TelegramServer, message: Msg) -> str:
    picture = ""
    if message.photo:
        with Image.open(io.BytesIO(server.files[message.photo])) as image:
            out = io.BytesIO()
            image.convert("RGB").resize((612, 612), Image.Resampling.LANCZOS).save(out, "WEBP", quality=88)
        picture = f'<img src="data:image/webp;base64,{base64.b64encode(out.getvalue()).decode()}">'
    rows = message.markup.get("inline_keyboard", [])
    buttons = "".join(f"<span>{html.escape(button['text'])}</span>" for row in rows for button in row)
    return f"<div>{picture}{html.escape(message.text)}</div>" + (f"<p>{buttons}</p>" if buttons else "")


if __name__ == "__main__":
    every = {each.__name__: each for each in (telescope, gallery, dialogue, report, evaluation)}
    for wanted in sys.argv[1:] or every:
        every[wanted]()
