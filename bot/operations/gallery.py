"""`python -m bot --gallery DIR`: a static web page of all badges; the bot may be serving meanwhile.

Each badge is a JPEG without a recipe, and a thumbnail. Another run adds new badges, keeps pictures that the bot has
removed since (`bot.keep_days`), and deletes those of people who used /forget. Other files in the folder are not
touched.
"""

import re
import sqlite3
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from bot.community.gallery import name_shown
from bot.errors import StartError
from bot.store import Database, jobs, posts
from bot.store.jobs import Job
from bot.texts import texts_for
from bot.words import things_made
from configs.console import DONE
from configs.pages import render_page
from configs.printable import printable
from configs.settings import Settings
from inference.files import write_atomically
from inference.output.thumbnails import thumbnail_of

PAGE = "index.html"
_OURS = re.compile(r"badge-\d+\.(jpg|jpg\.webp)")
_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class _Shown:
    """A badge on the page."""

    file: str
    thumbnail: str
    object: str
    text: str
    name: str


def main(settings: Settings, folder: Path) -> int:
    """Write the page and its pictures into `folder`; returns the exit code. Raises StartError without a database."""
    database = Database(settings.data_dir / "bot.sqlite3")
    if not database.path.exists():
        raise StartError(f"there is no state in {settings.data_dir}: start the bot once, or set BADGE_DATA_DIR")
    folder.mkdir(parents=True, exist_ok=True)
    with closing(database.open()):
        found = database.submit("gallery", _shown).result()
    cards = [card for job, name in found if (card := _card(folder, settings.data_dir / "badges", job, name))]
    title = things_made(texts_for("en"), settings.bot.welcome)
    page = render_page(_TEMPLATES, "gallery.html", title=title[:1].upper() + title[1:], cards=cards)
    write_atomically(folder / PAGE, page.encode())
    kept = {name for card in cards for name in (card.file, card.thumbnail)}
    for file in folder.iterdir():
        if _OURS.fullmatch(file.name) and file.name not in kept:
            file.unlink()
    sys.stdout.write(f"{printable(str(folder / PAGE))}: {len(cards)} badge{'s' * (len(cards) != 1)}\n")
    return DONE


def _shown(connection: sqlite3.Connection) -> list[tuple[Job, str]]:
    """Each delivered badge, newest first, with the name to show."""
    found = (jobs.get(connection, number) for number in posts.to_show(connection))
    return [(job, name_shown(connection, job.user_id)) for job in found if job is not None]


def _card(folder: Path, badges: Path, job: Job, name: str) -> _Shown | None:
    """A badge with its picture in `folder`; None if the picture is no longer available."""
    file = folder / f"badge-{job.id:06d}.jpg"
    if not file.is_file():
        try:
            photo = (badges / f"{job.picture}.jpg").read_bytes()
        except FileNotFoundError:
            return None
        if len(photo) != job.picture_size:  # damaged by a power failure
            return None
        write_atomically(file, photo)
    small = thumbnail_of(file, folder)
    return _Shown(file.name, small or file.name, job.object, " ".join(job.text.split()), name)
