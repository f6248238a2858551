"""Several characters in one bot: asked first, one a chat, each drawn with its own prompt, banner and LoRA."""

import itertools
import sqlite3
import zlib
from pathlib import Path

from PIL import ImageColor

from configs.sections.render import PromptSettings
from inference.output.recipe import read_recipe
from inference.prompt import build_prompt
from tests.bot.community.test_awards import CHAT, reply_to
from tests.bot.community.test_choosing import portrait
from tests.bot.running import RunningBot
from tests.fakes.telegram_api import Msg, TelegramServer

FAST = {"bot__messages_per_second": "1000", "bot__edit_seconds": "0.2", "bot__edit_seconds_group": "0.2"}
SAMURAI = '{"base": "samurai holding {object}", "title": "Samurai", "title_ru": "Самурай", "trigger": "", "style": ""}'
FOX = (
    '{"base": "fox holding {object}", "title_ru": "Лиса", "trigger": "", "style": "", "banner": "arc",'
    ' "suggestions": ["violin", "lantern"], "suggestions_ru": ["скрипка", "фонарь"]}'
)
TWO = {"presets": f'{{"samurai": {SAMURAI}, "fox": {FOX}}}', **FAST}
READY, WHICH, CLOSED = "бейдж готов", "Какой персонаж?", "уже закрыт"
HOLDS, SAYS = "Что держит персонаж?", "Какой текст на баннере?"


def rows(folder: Path, what: str = "preset, style, seed") -> list[tuple[str, ...]]:
    """Those columns of all badges, oldest first."""
    with sqlite3.connect(f"file:{folder / 'data/bot.sqlite3'}?mode=ro", uri=True) as database:
        return database.execute(f"SELECT {what} FROM jobs ORDER BY id").fetchall()


def shows(server: TelegramServer, badge: Msg, who: str, thing: str, seed: str) -> bool:
    """Whether the picture is what the plain generator draws of this character's prompt."""
    prompt = build_prompt(thing, PromptSettings(trigger="", base=f"{who} holding {{object}}", style=""))
    colour = zlib.crc32(f"{prompt} {seed}".encode()) & 0xFFFFFF
    asked = ImageColor.getrgb(f"#{colour:06x}")
    return all(abs(a - b) < 12 for a, b in zip(portrait(server, badge.photo), asked, strict=True))


def test_the_character_is_asked_first_and_drawn(server: TelegramServer, folder: Path) -> None:
    with RunningBot(server, folder, **TWO):
        anna = server.person(1)
        anna.say("/create")
        question = anna.waits_for(WHICH)
        assert list(question.buttons()) == ["Самурай", "Лиса"]
        anna.press(question, "Лиса")
        things = anna.waits_for(HOLDS)
        assert list(things.buttons()) == ["скрипка", "фонарь"]
        assert CLOSED in anna.toast(anna.press(question, "Самурай"))
        anna.press(things, "фонарь")
        anna.waits_for(SAYS)
        anna.say("UX SCOUT")
        badge = anna.waits_for(READY)
        ((preset, style, seed),) = rows(folder)
        assert (preset, style) == ("fox", "arc")
        assert shows(server, badge, "fox", "lantern", seed)
        # What is made of a badge shows its character, without another question.
        anna.press(badge, "Ещё раз")
        anna.waits_for(READY, number=2)
        anna.press(badge, "Другой текст")
        anna.waits_for(SAYS, number=2)
        anna.say("NEW TEXT")
        anna.waits_for(READY, number=3)
        anna.press(badge, "похожих")
        anna.waits_for("Какой взять")
        assert {preset for preset, *_ in rows(folder)} == {"fox"}
        assert len(rows(folder)) == 8
        assert len([m for m in anna.sees() if m.text == WHICH]) == 1


def test_what_was_said_before_the_question_is_kept(server: TelegramServer, folder: Path) -> None:
    with RunningBot(server, folder, **TWO):
        anna, boris, clara = (server.person(number) for number in (1, 2, 3))
        anna.say("/badge telescope | UX SCOUT")
        anna.press(anna.waits_for(WHICH), "Самурай")
        anna.waits_for(READY)
        boris.say("телескоп")  # a plain word in private
        boris.waits_for(WHICH)
        boris.say("кто-нибудь")
        again = boris.waits_for("Нажми на кнопку")
        assert list(again.buttons()) == ["Самурай", "Лиса"]
        boris.say("лиса")
        boris.waits_for(SAYS)
        boris.say("UX SCOUT")
        boris.waits_for(READY)
        assert rows(folder, "preset, object, english, text") == [
            ("samurai", "telescope", "telescope", "UX SCOUT"), ("fox", "телескоп", "telescope", "UX SCOUT"),
        ]  # fmt: skip
        assert CLOSED in clara.toast(clara.press(again, "", data="character:9"))


def test_a_chat_has_a_character_of_its_own(server: TelegramServer, folder: Path) -> None:
    with RunningBot(server, folder, bot__admins="[700]", **TWO):
        admin, member = server.person(700, chat_id=CHAT), server.person(2, chat_id=CHAT)
        member.say("/character")
        member.waits_for("только админы")
        admin.say("/character")
        offer = admin.waits_for("для этого чата")
        assert "устарела" in member.toast(member.press(offer, "Лиса"))
        assert admin.toast(admin.press(offer, "Лиса")) == "Лиса"
        member.say("/badge violin | UX SCOUT")
        member.waits_for(READY)
        admin.say("/award violin | FIRST", reply_to_message=reply_to(member))
        admin.waits_for("FIRST")
        assert rows(folder, "preset, style") == [("fox", "arc")] * 2
        assert admin.toast(admin.press(offer, "каждый раз")) == "Теперь буду спрашивать каждый раз."
        member.say("/badge violin | UX SCOUT")
        member.waits_for(WHICH)


def test_one_preset_is_the_character(server: TelegramServer, folder: Path) -> None:
    with RunningBot(server, folder, **{**TWO, "presets": f'{{"fox": {FOX}}}'}):
        anna = server.person(1)
        anna.say("/character")
        anna.waits_for("Персонаж здесь один")
        anna.say("/badge violin | UX SCOUT")
        anna.waits_for(READY)
        assert rows(folder, "preset, style") == [("fox", "arc")]


def test_a_character_that_went_out_of_the_settings_is_named(server: TelegramServer, folder: Path) -> None:
    bot = RunningBot(server, folder, **TWO)
    with bot:
        anna, boris = server.person(1), server.person(2)
        anna.say("/badge violin | UX SCOUT")
        anna.press(anna.waits_for(WHICH), "Лиса")
        badge = anna.waits_for(READY)
        boris.say("/badge violin")
        boris.press(boris.waits_for(WHICH), "Лиса")
        boris.waits_for(SAYS)
        assert bot.stop() == 0
    bot.env["presets"] = f'{{"samurai": {SAMURAI}, "robot": {SAMURAI}}}'
    with bot:
        anna.press(badge, "Ещё раз")
        anna.waits_for("Этого персонажа больше нет")
        boris.say("UX SCOUT")
        boris.waits_for("Этого персонажа больше нет")
        assert len(rows(folder)) == 1


def test_badges_of_one_character_are_drawn_together_and_nobody_starves(server: TelegramServer, folder: Path) -> None:
    """Ten people in turn, every other one a fox: at most four badges go before one of the other character."""
    with RunningBot(server, folder, "--seconds", "0.3", bot__admins="[700]", **TWO):
        admin = server.person(700)
        admin.say("/pause")
        admin.waits_for("Пауза")
        people = [server.person(number) for number in range(1, 13)]
        for number, person in enumerate(people):
            person.say("/badge violin | UX SCOUT")
            person.press(person.waits_for(WHICH), "Лиса" if number % 2 else "Самурай")
            person.waits_for("аузе")
        admin.say("/resume")
        for person in people:
            person.waits_for(READY)
        drawn = [preset for preset, _ in sorted(rows(folder, "preset, finished"), key=lambda row: float(row[1]))]
    changes = sum(a != b for a, b in itertools.pairwise(drawn))
    assert sorted(drawn) == ["fox"] * 6 + ["samurai"] * 6
    assert changes <= 3  # in the order of the questions it would be 11
    assert drawn[:6] != ["samurai"] * 6


def test_each_character_has_its_lora_on_the_model(server: TelegramServer, folder: Path) -> None:
    """The demo FLUX itself: one character with the shipped LoRA, one without any."""
    presets = '{"aidbox": {"trigger": "aidbox_samurai"}, "plain": {"lora": "none", "trigger": ""}}'
    env = {**FAST, "presets": presets, "generator__kind": "demo", "local__threads": "1"}
    with RunningBot(server, folder, module="bot", **env):
        anna, boris = server.person(1), server.person(2)
        for person, who in ((anna, "aidbox"), (boris, "plain"), (anna, "plain"), (boris, "aidbox")):
            before = len([m for m in person.sees() if READY in m.text])
            person.say("/badge telescope | UX SCOUT")
            person.press(person.waits_for(WHICH, number=before + 1), who)
            person.waits_for(READY, number=before + 1)
    made = sorted((folder / "data/badges").glob("*.png"), key=lambda path: int(path.name.split("-")[0]))
    recipes = [read_recipe(path) for path in made]
    assert [recipe.lora for recipe in recipes] == ["aidbox", None, None, "aidbox"]
