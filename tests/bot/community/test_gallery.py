"""The gallery: finished badges are shown in a chat and on a page, named only with their person's word."""

import subprocess
import sys
from pathlib import Path

from PIL import Image

from tests.bot.running import ROOT, RunningBot
from tests.fakes.telegram_api import Msg, Person, TelegramServer

CHAT, REVIEW = -80, -70
FAST = {"bot__messages_per_second": "1000", "bot__edit_seconds": "0.2", "bot__admins": "[700]"}
WITH = FAST | {"bot__gallery_chat": str(CHAT)}
READY, WHICH = "бейдж готов", "Какой взять?"


def badge(person: Person, words: str, number: int = 1) -> Msg:
    """Ask for a badge and wait for it."""
    person.say(f"/badge {words}")
    return person.waits_for(READY, number=number)


def posted(gallery: Person, words: str) -> Msg:
    """The picture in the gallery under these words."""
    return gallery.server.wait(
        lambda: next((m for m in gallery.badges() if words in m.text), None), what=f"{words} in the gallery"
    )


def write_page(bot: RunningBot, folder: Path) -> str:
    """`python -m bot --gallery`; what it printed."""
    command = [sys.executable, "-m", "bot", "--gallery", str(folder)]
    done = subprocess.run(command, cwd=ROOT, env=bot.environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_badge_is_shown_by_its_file_id_and_named_only_with_the_persons_word(
    server: TelegramServer, folder: Path
) -> None:
    with RunningBot(server, folder, **WITH) as bot:
        anna, boris, gallery = server.person(1), server.person(2), server.person(9, chat_id=CHAT)
        badge(anna, "telescope | FIRST")
        shown = posted(gallery, "FIRST")
        assert shown.text == "telescope | FIRST"
        assert (shown.photos, shown.buttons()) == (1, {})
        assert shown.versions[0] == "telescope | FIRST"
        edits = [call for call in server.calls if call.method == "editMessageMedia"]
        assert [bool(call.uploaded) for call in edits] == [True, False]
        anna.say("/privacy")
        told = anna.waits_for("видны в галерее")
        assert "не для тебя" in boris.toast(boris.press(told, "", data="named:1:yes"))
        assert anna.toast(anna.press(told, "с моим именем")) == "Теперь с твоим именем."
        badge(anna, "sword | SECOND", number=2)
        assert posted(gallery, "SECOND").text == "sword | SECOND\nby Person"
        assert write_page(bot, folder / "www").endswith("2 badges\n")
        page = (folder / "www/index.html").read_text()
        assert "SECOND" in page
        assert "Person" in page
        anna.say("/privacy")
        anna.press(anna.waits_for("видны в галерее", number=2), "без моего имени")
        badge(anna, "cup | THIRD", number=3)
        assert posted(gallery, "THIRD").text == "cup | THIRD"
        write_page(bot, folder / "www")
        assert "Person" not in (folder / "www/index.html").read_text()


def test_of_a_choice_only_the_chosen_one_is_shown(server: TelegramServer, folder: Path) -> None:
    with RunningBot(server, folder, bot__choices="2", **WITH) as bot:
        anna, gallery = server.person(1), server.person(9, chat_id=CHAT)
        anna.press(badge(anna, "telescope | CHOSEN"), "похожих")
        sheet = anna.waits_for(WHICH)
        assert write_page(bot, folder / "www").endswith("1 badge\n")
        anna.press(sheet, "2")
        server.wait(lambda: len(gallery.badges()) == 2, what="the chosen badge in the gallery")
        assert write_page(bot, folder / "www").endswith("2 badges\n")


def test_the_page_grows_and_forgets(server: TelegramServer, folder: Path) -> None:
    page = folder / "www"
    with RunningBot(server, folder, **FAST) as bot:
        anna, boris = server.person(1), server.person(2)
        badge(anna, "telescope | <b>ANNA</b>")
        badge(boris, "sword | BORIS")
        assert "2 badges" in write_page(bot, page)
        assert "&lt;b&gt;ANNA" in (page / "index.html").read_text()
        (page / "badge-mine.jpg").write_text("kept")
        with Image.open(page / "badge-000001.jpg") as picture, Image.open(page / "badge-000001.jpg.webp") as small:
            assert (picture.size, small.size) == ((256, 256), (256, 256))
            assert not picture.info.get("comment")
        # What the bot tidied away since stays; what its person forgot goes.
        for file in (folder / "data/badges").glob("2-*"):
            file.unlink()
        anna.say("/forget")
        anna.press(anna.waits_for("Удалить твои бейджи"), "Удалить")
        anna.waits_for("удалено")
        assert "1 badge\n" in write_page(bot, page)
        assert "ANNA" not in (page / "index.html").read_text()
        assert sorted(file.name for file in page.iterdir()) == [
            "badge-000002.jpg", "badge-000002.jpg.webp", "badge-mine.jpg", "index.html",
        ]  # fmt: skip


def test_forget_takes_a_badge_out_of_the_gallery_and_review_keeps_it_from_there(
    server: TelegramServer, folder: Path
) -> None:
    with RunningBot(server, folder, bot__review_chat=str(REVIEW), **WITH):
        anna, gallery = server.person(1), server.person(9, chat_id=CHAT)
        reviewer = server.person(8, chat_id=REVIEW)
        for number, press in ((1, "Refuse"), (2, "Approve")):
            anna.say(f"/badge telescope | NUMBER {number}")
            anna.waits_for("как только его одобрит админ")
            asked = server.wait(lambda: [m for m in reviewer.badges() if m.buttons()], what="a badge to review")
            reviewer.press(asked[0], press)
            anna.waits_for("не одобрили" if press == "Refuse" else READY)
        posted(gallery, "NUMBER 2")
        assert len(gallery.sees()) == 1
        anna.say("/forget")
        anna.press(anna.waits_for("Удалить твои бейджи"), "Удалить")
        server.wait(lambda: not gallery.sees(), what="the gallery to be empty")


def test_dying_at_every_commit_point_shows_each_badge_once(server: TelegramServer, folder: Path) -> None:
    folder.mkdir()
    trace = folder / "trace.txt"
    with RunningBot(server, folder / "traced", "--trace", str(trace), **WITH) as bot:
        badge(server.person(999), "telescope | TRACED")
        posted(server.person(9, chat_id=CHAT), "TRACED")
        bot.stop()
    points = list(dict.fromkeys(trace.read_text().split("\n")[:-1]))
    points = [point for point in points if not point.startswith(("recovered", "tidied"))]
    assert {"delivered:before", "delivered:after", "sent:before", "sent:after"} <= set(points)
    bot = RunningBot(server, folder / "crashed", **WITH)
    people = [server.person(number) for number in range(1, len(points) + 1)]
    for person, point in zip(people, points, strict=True):
        bot.start("--die-at", point)
        process = bot.process
        assert process is not None
        person.say(f"/badge telescope | N {person.user_id}")
        server.wait(lambda p=process: p.poll() is not None, 60, f"the bot to die at {point}")
        assert process.returncode == -9, bot.said()
    gallery = server.person(9, chat_id=CHAT)
    with bot:
        for person in people:
            person.waits_for(READY)
            posted(gallery, f"N {person.user_id}")
        bot.stop()
    shown = sorted(m.text for m in gallery.badges() if "TRACED" not in m.text)
    assert shown == sorted(f"telescope | N {person.user_id}" for person in people)
