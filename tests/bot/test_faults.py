"""Telegram and people at their worst: blocks, lost answers, 429 storms, outages, a full disk, clocks that jump."""

import re
import resource
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from bot.delivery.pictures import Pictures
from inference.types import Badge, BadgeRequest, ModelInfo, Portrait
from tests.bot.running import RunningBot
from tests.fakes.telegram_api import Faults, Person, TelegramServer

Somebody = Callable[..., Person]

READY = "бейдж готов"


@pytest.fixture
def bot(server: TelegramServer, folder: Path) -> RunningBot:
    return RunningBot(server, folder, bot__edit_seconds="0.2", bot__messages_per_second="1000")


@pytest.fixture(autouse=True)
def _healthy_again(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "shared" in request.fixturenames:
        request.getfixturevalue("shared").server.faults = Faults()


def test_a_person_who_blocks_the_bot_in_mid_job(shared: RunningBot, somebody: Somebody) -> None:
    server, anna, bob = shared.server, somebody(), somebody()
    anna.say("/badge slowly passing cloud | A")
    anna.waits_for("/40")
    server.faults.blocked.add(anna.chat_id)
    server.wait(lambda: f"[{anna.user_id}] [badge] [warning: job" in shared.said(), what="a line in the log")
    server.faults.blocked.clear()
    anna.say("/badge cup | C")
    anna.waits_for(READY)
    assert len(anna.badges()) == 1
    me = {"user": {"id": 4242, "is_bot": True, "first_name": "B"}, "status": "member"}
    user = {"id": anna.user_id, "is_bot": False, "first_name": "A"}
    change = {"chat": {"id": anna.chat_id, "type": "private"}, "from": user, "date": 1, "old_chat_member": me}
    anna.say("/badge slowly passing cloud | D")
    anna.waits_for("⏳")
    server.deliver("my_chat_member", {**change, "new_chat_member": {**me, "status": "kicked", "until_date": 0}})
    bob.say("/badge slowly passing cloud | E")
    bob.waits_for(READY)
    assert len(anna.badges()) == 1


def test_a_status_message_that_was_deleted(shared: RunningBot, somebody: Somebody) -> None:
    anna = somebody()
    anna.say("/badge slowly passing cloud | A")
    status = anna.waits_for("/40")
    del shared.server.messages[anna.chat_id][status.id]
    badge = anna.waits_for(READY)
    assert badge.id != status.id
    assert len(anna.sees()) == 1


def test_a_group_that_becomes_a_supergroup_in_mid_job(shared: RunningBot, somebody: Somebody) -> None:
    anna = somebody(chat_id=-500)
    anna.say("/badge slowly passing cloud | A")
    anna.waits_for("⏳")
    shared.server.faults.moved[-500] = -1500
    there = shared.server.person(anna.user_id, "ru", -1500)
    badge = there.waits_for(READY)
    assert not anna.badges()
    assert there.toast(there.press(badge, "Ещё раз")) == "Делаю!"
    there.waits_for(READY, number=2)


def test_a_file_id_that_is_no_longer_known(shared: RunningBot, somebody: Somebody) -> None:
    server, anna = shared.server, somebody()
    anna.say("/badge cup | A")
    badge = anna.waits_for(READY)
    for number in (1, 2):
        anna.press(badge, "Файлом")
        server.wait(lambda n=number: len([m for m in anna.sees() if m.document]) == n, what="the file")
        server.wait(lambda: not server.files.pop(anna.sees()[-1].document, None) or True, what="the file to be gone")
    del server.files[badge.photo]
    anna.say("/history")
    server.wait(lambda: len(anna.badges()) == 2, what="the badge again, from the disk")
    assert anna.badges()[1].photo in server.files


def test_a_server_that_turns_no_text_into_a_photo(shared: RunningBot, somebody: Somebody) -> None:
    shared.server.faults.texts_stay_texts = True
    anna = somebody()
    anna.say("/badge cup | A")
    anna.waits_for(READY)
    assert len(anna.badges()) == 1


def test_lost_answers_double_no_badge(shared: RunningBot, somebody: Somebody) -> None:
    server, anna = shared.server, somebody()
    lost: list[str] = []

    def drop(method: str, fields: dict[str, str]) -> bool:
        lost.append(method)
        return lost.count(method) <= 2

    server.faults.drop_answer = drop
    anna.say("/badge cup | A")
    anna.waits_for(READY)
    server.wait(lambda: re.search(rf"\[{anna.user_id}\] \[badge\] \[job \d+ delivered", shared.said()), what="the end")
    assert lost.count("editMessageMedia") == 3
    assert len(anna.badges()) == 1


def test_a_storm_of_429_halts_its_own_chat_alone(shared: RunningBot, somebody: Somebody) -> None:
    server, anna, bob = shared.server, somebody(), somebody()
    raging = True

    def storm(method: str, fields: dict[str, str]) -> int:
        return 1 if fields.get("chat_id") == str(anna.chat_id) and raging else 0

    server.faults.retry_after = storm
    anna.say("/badge cup | A")
    server.wait(lambda: f"retry_after 1 s in chat {anna.chat_id} " in shared.said(), what="a 429")
    bob.say("/badge cup | B")
    bob.waits_for(READY)
    assert not anna.sees()
    raging = False
    anna.waits_for(READY)
    assert len(anna.badges()) == len(bob.badges()) == 1
    assert sum(call.chat_id == anna.chat_id for call in server.calls) <= 10


def test_an_outage_of_telegram_loses_nothing(shared: RunningBot, somebody: Somebody) -> None:
    server, anna = shared.server, somebody()
    anna.say("/badge slowly passing cloud | A")
    anna.waits_for("/40")
    server.faults.down = True
    anna.say("/badge cup | B")
    server.wait(lambda: re.search(rf"\[{anna.user_id}\] .*trying again", shared.said()), what="the bot to notice")
    server.faults.down = False
    anna.waits_for(READY, number=2)
    assert len(anna.badges()) == 2


@pytest.mark.slow
def test_an_outage_of_five_minutes(bot: RunningBot, server: TelegramServer) -> None:
    with bot:
        anna = server.person(1)
        anna.say("/badge slowly passing cloud | A")
        anna.waits_for("/40")
        server.faults.down = True
        anna.say("/badge cup | B")
        time.sleep(300)
        server.faults.down = False
        anna.waits_for(READY, number=2, seconds=60)
        assert len(anna.badges()) == 2


def test_a_full_disk_delays_and_loses_nothing(bot: RunningBot, server: TelegramServer) -> None:
    with bot:
        anna = server.person(1)
        anna.say("/create")
        anna.waits_for("Что держит")
        bot.signal(signal.SIGUSR1)
        time.sleep(0.3)
        long = "telescope " * 7  # enough of them to need a new page
        for _ in range(60):
            server.person(9).say(long)
        server.wait(lambda: "full" in bot.said(), what="the disk to be full")
        anna.say("telescope")
        time.sleep(0.5)
        bot.signal(signal.SIGUSR2)
        anna.waits_for("Какой текст")
        anna.say("A")
        anna.waits_for(READY)
        server.wait(lambda: len(server.of(9)) > 0, what="an answer to what came meanwhile")


def test_a_disk_without_room_for_a_picture(server: TelegramServer, folder: Path) -> None:
    """The kernel refuses to write a file past 0.7 MB: the picture is begun and cannot be ended, as on a full disk."""

    def room(size: int) -> None:
        assert bot.process is not None
        resource.prlimit(bot.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    with RunningBot(server, folder, banner__size="560") as bot:
        anna = server.person(1)
        anna.say("/help")
        anna.waits_for("Я делаю")
        room(700_000)
        anna.say("/badge snowstorm | A")
        failed = anna.waits_for("😕")
        assert "попробуй ещё раз" in failed.text
        assert "[drawing] [error: job 1 failed: [Errno 27]" in bot.said()
        pictures = folder / "data/badges"
        assert not list(pictures.iterdir())
        room(resource.RLIM_INFINITY)
        anna.press(failed, "Попробовать")
        badge = anna.waits_for(READY)
        assert len(server.files[badge.photo]) > 300_000
        assert sorted(file.suffix for file in pictures.iterdir()) == [".jpg", ".png"]


def badge_of(image: Image.Image) -> Badge:
    """A finished badge that shows `image`."""
    picture = Image.new("RGB", (2, 1))
    picture.putpixel((0, 0), (255, 255, 255))
    portrait = Portrait(picture, "a samurai", 7, 4, 1.0, ModelInfo("plain", "demo"))
    return Badge(image, BadgeRequest("cup", "A", 7, "ribbon"), portrait, "ribbon", 0.1)


def test_of_two_pictures_none_stays_alone(tmp_path: Path) -> None:
    pictures = Pictures(tmp_path).open()
    (tmp_path / "1-1.jpg").mkdir()
    with pytest.raises(OSError, match=r"1-1\.jpg"):
        pictures.save("1-1", badge_of(Image.new("RGB", (64, 64))))
    assert [file.name for file in tmp_path.iterdir()] == ["1-1.jpg"]


def test_clocks_that_jump(server: TelegramServer, folder: Path) -> None:
    offset = folder / "offset"
    bot = RunningBot(server, folder, "--wall-offset", str(offset), bot__badges_per_hour="3")
    with bot:
        anna = server.person(1)
        for number, seconds in enumerate((0, 10**8, -(10**8)), start=1):
            offset.write_text(str(seconds))
            anna.say(f"/badge slowly passing cloud | {number}")
            anna.waits_for(READY, number=number)
        assert len(anna.badges()) == 3


def test_stopping_in_mid_job_is_quick_and_loses_nothing(bot: RunningBot, server: TelegramServer) -> None:
    with bot:
        anna, bob = server.person(1), server.person(2)
        anna.say("/badge slowly passing cloud | A")
        anna.waits_for("/40")
        bob.say("/badge slowly passing train | B")
        bob.waits_for("⏳")
        assert bot.stop() == 0
        assert not anna.badges()
        bot.start()
        first, second = anna.waits_for(READY), bob.waits_for(READY)
        for badge in (first, second):
            assert any("перезапустили" in text for text in badge.versions)
        assert len(anna.sees()) == len(bob.sees()) == 1


def test_a_drawing_that_does_not_stop_does_not_hold_up_the_stop(bot: RunningBot, server: TelegramServer) -> None:
    with bot:
        anna = server.person(1)
        anna.say("/badge stubborn mule | A")
        server.wait(lambda: "stubborn drawing begins" in bot.said(), what="the drawing to begin")
        assert bot.stop() == 0  # long before the minute that the drawing takes
        assert "does not stop" in bot.said()


def test_an_old_button_after_a_restart(bot: RunningBot, server: TelegramServer) -> None:
    with bot:
        anna = server.person(1)
        anna.say("/badge cup | A")
        badge = anna.waits_for(READY)
        anna.say("/create")
        question = anna.waits_for("Что держит")
        bot.kill()
        bot.start()
        anna.press(question, "катана")
        anna.waits_for("Какой текст")
        anna.press(badge, "Ещё раз")
        anna.waits_for(READY, number=2)
