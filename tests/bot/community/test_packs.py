"""Sticker packs, through the real bot: a badge becomes a sticker in the pack of its chat, once."""

import io
import sqlite3
from pathlib import Path

from PIL import Image
from pydantic import SecretStr

from bot.delivery.packs import keywords
from bot.operations.check_community import community
from bot.store.jobs import Job
from configs.settings import default_settings
from tests.bot.running import RunningBot
from tests.fakes.telegram_api import TOKEN, Msg, Person, TelegramServer

CHAT = -90
FAST = {"bot__messages_per_second": "1000", "bot__edit_seconds": "0.2", "bot__edit_seconds_group": "0.2"}
FAST |= {"bot__admins": "[700]", "bot__sticker_owner": "700", "bot__choices": "0"}
READY = "бейдж готов"
GROUP, PRIVATE = "badges90n1_by_samurai_badge_bot", "badges0n1_by_samurai_badge_bot"


def badge(person: Person, words: str = "telescope | UX SCOUT", number: int = 1) -> Msg:
    """Ask for a badge and wait for it."""
    person.say(f"/badge {words}")
    return person.waits_for(READY, number=number)


def test_a_badge_becomes_a_sticker_of_its_chat_once(server: TelegramServer, folder: Path) -> None:
    with RunningBot(server, folder, **FAST):
        anna, boris = server.person(1, chat_id=CHAT), server.person(2)
        shown = badge(anna)
        anna.press(shown, "В набор")
        told = anna.waits_for("Он в наборе")
        assert told.text.endswith(f"https://t.me/addstickers/{GROUP}")
        assert anna.toast(anna.press(shown, "В набор")) == "Он уже в наборе."
        (sticker,) = server.packs.sets[GROUP]
        assert sticker["keywords"] == ["telescope", "ux", "scout"]
        with Image.open(io.BytesIO(server.files[sticker["file_id"].removesuffix("-set")])) as picture:
            assert (picture.format, max(picture.size), picture.mode) == ("WEBP", 512, "RGBA")
        assert server.packs.titles[GROUP] == "Guild"
        anna.press(badge(anna, "sword | TWO", number=2), "В набор")
        anna.waits_for("Он в наборе", number=2)
        boris.press(badge(boris), "В набор")
        assert boris.waits_for("Он в наборе").text.endswith(PRIVATE)
        assert [len(server.packs.sets[name]) for name in (GROUP, PRIVATE)] == [2, 1]
        # What a person forgets leaves the packs too.
        anna.say("/forget")
        anna.press(anna.waits_for("Удалить твои бейджи"), "Удалить")
        server.wait(lambda: not server.packs.sets[GROUP], what="an empty pack")
        assert len(server.packs.sets[PRIVATE]) == 1


def test_a_full_pack_is_followed_by_another_and_a_taken_name_by_the_next(server: TelegramServer, folder: Path) -> None:
    with RunningBot(server, folder, **FAST):
        anna = server.person(1, chat_id=CHAT)
        # The first name is somebody else's, and no sticker of it can be read.
        server.packs.sets["taken"] = []
        server.faults.refuse = lambda method, fields: (
            "sticker set name is already occupied"
            if method == "createNewStickerSet" and fields["name"] == GROUP
            else ""
        )
        anna.press(badge(anna), "В набор")
        second = anna.waits_for("Он в наборе").text.rpartition("/")[2]
        assert second == "badges90n2_by_samurai_badge_bot"
        server.packs.sets[second] += [
            server.packs.sets[second][0] | {"file_unique_id": f"other-{n}"} for n in range(119)
        ]
        anna.press(badge(anna, number=2), "В набор")
        third = anna.waits_for("Он в наборе", number=2).text.rpartition("/")[2]
        assert (third, len(server.packs.sets[third])) == ("badges90n3_by_samurai_badge_bot", 1)
        assert server.packs.titles[third] == "Guild 3"


def test_an_owner_who_never_started_the_bot_is_told_of_and_nothing_else_suffers(
    server: TelegramServer, folder: Path
) -> None:
    with RunningBot(server, folder, **FAST) as bot:
        server.packs.owners.clear()
        anna = server.person(1)
        anna.press(badge(anna), "В набор")
        anna.waits_for("Не получилось добавить")
        assert "Peer_id_invalid (bot.sticker_owner 700)" in bot.said()
        badge(anna, number=2)


def test_an_answer_that_is_lost_adds_no_second_sticker(server: TelegramServer, folder: Path) -> None:
    with RunningBot(server, folder, **FAST):
        anna = server.person(1)
        lost: set[str] = set()

        def lose_first(method: str, fields: dict[str, str]) -> bool:
            new = method in ("createNewStickerSet", "addStickerToSet") and method not in lost
            lost.update({method} if new else ())
            return new

        server.faults.drop_answer = lose_first
        for number in (1, 2):
            anna.press(badge(anna, number=number), "В набор")
            anna.waits_for("Он в наборе", number=number)
        assert lost == {"createNewStickerSet", "addStickerToSet"}
        assert len(server.packs.sets[PRIVATE]) == 2


def test_dying_at_every_commit_point_makes_each_sticker_once(server: TelegramServer, folder: Path) -> None:
    folder.mkdir()
    trace = folder / "trace.txt"
    with RunningBot(server, folder / "traced", "--trace", str(trace), **FAST) as bot:
        shown = badge(server.person(999))
        trace.write_text("")
        server.person(999).press(shown, "В набор")
        server.person(999).waits_for("Он в наборе")
        bot.stop()
    points = list(dict.fromkeys(trace.read_text().split("\n")[:-1]))
    points = [point for point in points if not point.startswith(("recovered", "tidied", "delivered"))]
    assert {"pack:before", "pack:after", "packed:before", "packed:after", "sent:before"} <= set(points)
    server.packs.sets.clear()
    bot = RunningBot(server, folder / "crashed", **FAST)
    people = [server.person(number) for number in range(1, len(points) + 1)]
    with bot:
        badges = [badge(person) for person in people]
        bot.stop()
    for person, shown, point in zip(people, badges, points, strict=True):
        person.press(shown, "В набор")
        bot.start("--die-at", point)
        process = bot.process
        assert process is not None
        server.wait(lambda p=process: p.poll() is not None, 60, f"the bot to die at {point}")
        assert process.returncode == -9, bot.said()
    with bot:
        for person in people:
            person.waits_for("Он в наборе")
        bot.stop()
    assert len(server.packs.sets[PRIVATE]) == len(people)
    with sqlite3.connect(folder / "crashed/data/bot.sqlite3") as connection:
        known = [row[0] for row in connection.execute("SELECT unique_id FROM stickers")]
    assert sorted(known) == sorted(each["file_unique_id"] for each in server.packs.sets[PRIVATE])


def test_keywords_keep_telegrams_limits() -> None:
    job = Job(
        0, 1, 1, 0, 0, "ru", "красный зонт", "red umbrella", "Red! зонт 🎉 " + "word " * 9 + "x" * 50, "arc", 1, ""
    )
    assert keywords(job) == ["красный", "зонт", "red", "umbrella", "word"]
    many = Job(0, 1, 1, 0, 0, "en", " ".join("abcdefghijklmnopqrstuvwxyz"), "", "", "arc", 1, "")
    assert len(keywords(many)) == 20


def test_check_names_an_owner_who_has_not_started_the_bot(server: TelegramServer) -> None:
    settings = default_settings()
    secrets = settings.secrets.model_copy(update={"telegram_bot_token": SecretStr(TOKEN)})
    bot = settings.bot.model_copy(update={"base_url": server.base_url, "sticker_owner": 700, "tag_members": True})
    settings = settings.model_copy(update={"bot": bot, "secrets": secrets})
    found = {each.what: each for each in community(settings)}
    assert found["sticker_owner"].found == "packs belong to 700"
    assert found["tag_members"].found == "bot.chats names no group"
    server.faults.blocked.add(700)
    found = {each.what: each for each in community(settings)}
    assert found["sticker_owner"].found == "700 has not started the bot"
