"""More like this, through the real bot: several portraits in one picture, of which one becomes the badge."""

import io
import time
from pathlib import Path

import pytest
from PIL import Image

from configs.errors import ConfigError
from configs.settings import load_settings
from overlay.drawing.numbered import numbered
from tests.bot.running import RunningBot
from tests.fakes.telegram_api import Msg, Person, TelegramServer

FAST = {"bot__messages_per_second": "1000", "bot__edit_seconds": "0.2", "bot__edit_seconds_group": "0.2"}
READY, WHICH = "бейдж готов", "Какой взять"


def first_badge(person: Person) -> Msg:
    """A badge of this person."""
    person.say("/badge telescope | UX SCOUT")
    return person.waits_for(READY)


def portrait(server: TelegramServer, file_id: str) -> tuple[int, ...]:
    """The colour of a plain badge, by which its portrait is known."""
    with Image.open(io.BytesIO(server.files[file_id])) as image:
        pixel = image.convert("RGB").getpixel((128, 40))
    assert isinstance(pixel, tuple)
    return pixel


def test_a_number_makes_one_of_four_the_badge(server: TelegramServer, folder: Path) -> None:
    with RunningBot(server, folder, bot__admins="[700]", **FAST):
        anna = server.person(1)
        badge = first_badge(anna)
        anna.press(badge, "похожих")
        sheet = anna.waits_for(WHICH)
        assert list(sheet.buttons()) == ["1", "2", "3", "4"]
        with Image.open(io.BytesIO(server.files[sheet.photo])) as image:
            assert image.size == (1328, 1328)
            cells = [image.convert("RGB").getpixel((x, y)) for y in (120, 776) for x in (336, 992)]
        assert len(set(cells)) == 4
        boris = server.person(2)
        assert "чужой" in boris.toast(boris.press(sheet, "2", data="choose:2:2"))
        uploads = server.count("editMessageMedia")
        assert anna.toast(anna.press(sheet, "3")) == "Делаю!"
        server.wait(lambda: READY in sheet.text, what="the badge")
        assert all(abs(a - b) < 12 for a, b in zip(portrait(server, sheet.photo), cells[2], strict=True))
        assert server.count("editMessageMedia") == uploads + 1
        assert "📄 Файлом" in sheet.buttons()
        anna.press(sheet, "Файлом")
        server.wait(lambda: [m for m in anna.sees() if m.document], what="the file of the chosen one")
        # A press that comes late, and a number that was never there.
        assert "устарела" in anna.toast(anna.press(sheet, "", data="choose:2:9"))
        anna.say("/history")
        listed = anna.waits_for("Нажми на номер").text
        assert listed.count("telescope | UX SCOUT") == 5


def test_each_portrait_counts_towards_the_limits(server: TelegramServer, folder: Path) -> None:
    with RunningBot(server, folder, bot__badges_per_hour="5", bot__choices="3", **FAST):
        anna = server.person(1)
        anna.press(first_badge(anna), "Ещё 3")
        sheet = anna.waits_for(WHICH)
        assert list(sheet.buttons()) == ["1", "2", "3"]
        anna.say("/badge lamp | ONE MORE")
        anna.waits_for(READY, number=2)
        anna.say("/badge lamp | TOO MANY")
        anna.waits_for("5 бейджей")


def test_a_choice_is_reviewed_before_any_of_it_is_seen(server: TelegramServer, folder: Path) -> None:
    with RunningBot(server, folder, bot__admins="[700]", bot__review_chat="-70", **FAST):
        anna, reviewer = server.person(1), server.person(8, chat_id=-70)
        anna.say("/badge telescope | UX SCOUT")
        for number in (1, 2):
            post = server.wait(
                lambda n=number: next((m for m in reviewer.badges() if f"approve:{n}" in m.buttons().values()), None)
            )
            if number == 2:
                for data in ("file:3", "choose:2:1", "show:4", "again:5"):
                    assert "не одобрен" in anna.toast(anna.press(anna.sees()[0], "", data=data)), data
            reviewer.press(post, "Approve")
            if number == 1:
                anna.press(anna.waits_for(READY), "похожих")
        anna.press(anna.waits_for(WHICH), "1")
        anna.waits_for(READY, number=2)


def test_dying_at_every_commit_point_shows_each_choice_once(server: TelegramServer, folder: Path) -> None:
    folder.mkdir()
    trace = folder / "trace.txt"
    with RunningBot(server, folder / "traced", "--trace", str(trace), **FAST) as bot:
        anna = server.person(999)
        badge = first_badge(anna)
        trace.write_text("")
        anna.press(badge, "похожих")
        sheet = anna.waits_for(WHICH)
        anna.press(sheet, "2")
        server.wait(lambda: READY in sheet.text, what="the badge")
        bot.stop()
    points = list(dict.fromkeys(trace.read_text().split("\n")[:-1]))
    points = [point for point in points if not point.startswith(("recovered", "tidied"))]
    assert {"drawn:before", "drawn:after", "delivered:before", "delivered:after", "sent:before"} <= set(points)
    with RunningBot(server, folder / "crashed", **FAST) as bot:
        people = [server.person(number) for number in range(1, len(points) + 1)]
        badges = [first_badge(person) for person in people]
        bot.stop()
    pressed: dict[int, float] = {}

    def choose() -> None:
        for person in people:
            for sheet in person.badges():
                # A press before the commit is told to be too early; a person would press again.
                if "2" in sheet.buttons() and time.monotonic() > pressed.get(sheet.id, 0.0) + 2.0:
                    pressed[sheet.id] = time.monotonic()
                    person.press(sheet, "2")

    for person, badge, point in zip(people, badges, points, strict=True):
        person.press(badge, "похожих")
        bot.start("--die-at", point)
        process = bot.process
        assert process is not None
        server.wait(lambda p=process: choose() or p.poll() is not None, 60, f"the bot to die at {point}")
        assert process.returncode == -9, bot.said()
    with bot:
        server.wait(
            lambda: choose() or all(sum(READY in m.text for m in each.badges()) == 2 for each in people),
            what="everybody's choice",
        )
        bot.stop()
    assert [len(person.badges()) for person in people] == [2] * len(people)


def test_three_stand_two_above_one(tmp_path: Path) -> None:
    sheet = numbered([Image.new("RGBA", (300, 300), colour) for colour in ("red", "lime", "blue")])
    assert sheet.size == (1328, 1328)
    assert [sheet.getpixel(at) for at in ((400, 400), (1000, 400), (664, 1100))] == [
        (255, 0, 0), (0, 255, 0), (0, 0, 255),
    ]  # fmt: skip
    assert numbered([Image.new("RGB", (8, 8))] * 2).size == (1328, 672)
    sheet.save(tmp_path / "sheet.png")


def test_a_choice_of_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BADGE_BOT__CHOICES", "1")
    with pytest.raises(ConfigError, match="one alone leaves no choice"):
        load_settings()
