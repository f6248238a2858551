"""The dialogue of the brief, with the real bot over HTTP: questions, progress, badge, and what the buttons do."""

from io import BytesIO

import pytest
from PIL import Image

from tests.bot.dialogue.parts import READY, Somebody, make_badge
from tests.bot.running import RunningBot


def picture(shared: RunningBot, file_id: str) -> Image.Image:
    return Image.open(BytesIO(shared.server.files[file_id]))


def test_the_briefs_dialogue_word_for_word(shared: RunningBot, somebody: Somebody) -> None:
    anna = somebody()
    anna.say("/start")
    assert anna.waits_for("Что держит").text == "Что держит персонаж?"
    anna.say("telescope")
    assert anna.waits_for("Какой текст").text == "Какой текст на баннере?"
    asked = anna.say("UX SCOUT")
    badge = anna.waits_for("бейдж готов")
    assert badge.text == READY
    assert badge.versions[0].startswith("⏳ Генерирую... (1/2)")
    assert badge.reply_to == asked
    assert picture(shared, badge.photo).format == "JPEG"
    assert picture(shared, badge.photo).size == (256, 256)
    assert [m.text for m in anna.sees()][1:] == ["Что держит персонаж?", "Какой текст на баннере?", READY]


def test_english_by_language_code(somebody: Somebody) -> None:
    bob = somebody("en-GB")
    bob.say("/create")
    assert bob.waits_for("What is").text == "What is the character holding?"
    bob.say("a laptop")
    assert bob.waits_for("What text").text == "What text goes on the banner?"
    bob.say("ML NINJA")
    badge = bob.waits_for("badge is ready")
    assert badge.text == "🎊 Your badge is ready!\n/create for another one"
    assert badge.versions[0].startswith("⏳ Drawing... (1/2)")


def test_the_status_shows_steps_then_the_second_stage(somebody: Somebody) -> None:
    anna = somebody()
    versions = make_badge(anna, "slowly turning globe").versions
    shown = [line for text in versions for line in text.splitlines() if line.endswith("/40")]
    assert shown
    assert sorted(shown, key=lambda line: int(line.split()[1].split("/")[0])) == shown
    assert versions[-2:] == ["⏳ Добавляю текст... (2/2)", READY]


def test_a_suggestion_is_a_button(somebody: Somebody) -> None:
    anna = somebody()
    anna.say("/create")
    question = anna.waits_for("Что держит")
    assert "катана" in question.buttons()
    anna.press(question, "катана")
    assert "katana" in anna.waits_for("Какой текст").text


def test_russian_is_shown_as_understood_and_can_be_corrected(somebody: Somebody) -> None:
    anna = somebody()
    anna.say("/create")
    anna.waits_for("Что держит")
    anna.say("с катаной")
    understood = anna.waits_for("Какой текст на баннере?")
    assert understood.text == "с катаной → katana\nКакой текст на баннере?"
    anna.press(understood, "Не то")
    anna.waits_for("Что держит", number=2)
    anna.say("лупу")
    assert "magnifying glass" in anna.waits_for("Какой текст", number=2).text
    anna.say("ТЕСТЕР")
    anna.waits_for("бейдж готов")


def test_a_word_with_two_meanings_offers_the_other(somebody: Somebody) -> None:
    anna = somebody()
    anna.say("/create")
    anna.waits_for("Что держит")
    anna.say("замок")
    understood = anna.waits_for("Какой текст")
    other = next(label for label, data in understood.buttons().items() if data.startswith("meant:"))
    assert f"→ {other}\n" not in understood.text
    anna.press(understood, other)
    assert f"→ {other}\n" in anna.waits_for("Какой текст", number=2).text


def test_what_means_nothing_is_asked_again(shared: RunningBot, somebody: Somebody) -> None:
    anna = somebody()
    anna.say("/create")
    anna.waits_for("Что держит")
    anna.say("щфжъыв")
    again = anna.waits_for("Не понял")
    assert "например" in again.text
    anna.say("катна")
    assert "Может быть, катана" in anna.waits_for("Не понял", number=2).text
    anna.say("меч, который горит щфжъыв")
    assert "Может быть" not in anna.waits_for("Не понял", number=3).text
    anna.press(again, "катана")
    assert "katana" in anna.waits_for("Какой текст").text


def test_cancel_ends_a_question(somebody: Somebody) -> None:
    anna = somebody()
    anna.say("/create")
    anna.say("telescope")
    anna.waits_for("Какой текст")
    anna.say("/cancel")
    anna.waits_for("Отменено")
    anna.say("спасибо")
    anna.waits_for("Чтобы сделать бейдж")
    anna.say("/cancel")
    anna.waits_for("Отменять нечего")


def test_cancel_stops_the_drawing_between_steps(somebody: Somebody) -> None:
    anna = somebody()
    anna.say("/badge slowly rising sun | A")
    status = anna.waits_for("/40")
    anna.say("/cancel")
    assert anna.waits_for("✖️ Отменено").id == status.id
    assert not status.buttons()
    make_badge(anna, "cup", "B")
    assert len(anna.badges()) == 1


def test_the_cancel_button_cancels_its_job_alone(somebody: Somebody) -> None:
    anna = somebody()
    anna.say("/badge slowly rising sun | A")
    status = anna.waits_for("⏳ Генерирую")
    anna.say("/badge cup | B")
    anna.press(status, "Отменить")
    anna.waits_for("✖️ Отменено")
    anna.waits_for("бейдж готов")


def test_again_other_text_and_style(shared: RunningBot, somebody: Somebody) -> None:
    anna = somebody()
    first = make_badge(anna)
    corner = picture(shared, first.photo).getpixel((4, 4))
    anna.press(first, "Ещё раз")
    second = anna.waits_for("бейдж готов", number=2)
    assert picture(shared, second.photo).getpixel((4, 4)) != corner
    anna.press(first, "Другой текст")
    anna.waits_for("Какой текст")
    anna.say("DATA SAMURAI")
    third = anna.waits_for("бейдж готов", number=3)
    assert picture(shared, third.photo).getpixel((4, 4)) == corner
    assert shared.server.files[third.photo] != shared.server.files[first.photo]
    anna.press(first, "Стиль")
    offered = anna.waits_for("Какой баннер?")
    assert list(offered.buttons()) == ["дуга", "авто", "плоский", "эмалевый значок", "табличка", "лента", "круг"]
    anna.press(offered, "табличка")
    fourth = anna.waits_for("бейдж готов", number=4)
    assert shared.server.files[fourth.photo] != shared.server.files[first.photo]


def test_file_and_sticker_are_uploaded_once(shared: RunningBot, somebody: Somebody) -> None:
    anna = somebody()
    badge = make_badge(anna)
    for label, kind, format_ in (("Файлом", "document", "PNG"), ("Стикером", "sticker", "WEBP")):
        anna.press(badge, label)
        shared.server.wait(lambda k=kind: [m for m in anna.sees() if getattr(m, k)], what=kind)
        sent = next(m for m in anna.sees() if getattr(m, kind))
        assert picture(shared, getattr(sent, kind)).format == format_
        anna.press(badge, label)
        shared.server.wait(lambda k=kind: len([m for m in anna.sees() if getattr(m, k)]) == 2, what=f"{kind} again")
        calls = [c for c in shared.server.calls if c.chat_id == anna.chat_id and kind in c.method.lower()]
        assert [call.uploaded > 0 for call in calls] == [True, False]


def test_history_costs_nothing(shared: RunningBot, somebody: Somebody) -> None:
    anna = somebody()
    anna.say("/history")
    anna.waits_for("пока нет")
    made = [make_badge(anna, "cup", f"N{n}", number=n).photo for n in (1, 2)]
    anna.say("/history")
    shared.server.wait(lambda: len(anna.badges()) == 4, what="two badges again")
    assert [m.photo for m in anna.badges()][2:] == made
    group = [c for c in shared.server.calls if c.method == "sendMediaGroup" and c.chat_id == anna.chat_id]
    assert len(group) == 1
    assert group[0].uploaded == 0


def test_a_badge_in_one_line_asks_for_what_is_missing(somebody: Somebody) -> None:
    anna = somebody()
    anna.say("/badge")
    anna.waits_for("Что держит")
    anna.say("/badge telescope")
    anna.waits_for("Какой текст")
    anna.say("ONE")
    anna.waits_for("бейдж готов")


def test_people_in_a_group_have_a_dialogue_each(somebody: Somebody) -> None:
    anna, bob = somebody(chat_id=-100, thread=7), somebody(chat_id=-100, thread=7)
    asked = anna.say("/create@samurai_badge_bot")
    question = anna.waits_for("Что держит")
    assert question.reply_to == asked
    assert question.markup["force_reply"]
    assert question.markup["selective"]
    assert question.thread == 7
    bob.say("/create@other_bot")
    bob.say("/create")
    hers, his = question, bob.waits_for("Что держит", number=2)
    bob.say("nobody speaks to the bot here")
    anna.answers(hers, "telescope")
    anna.waits_for("Какой текст")
    bob.say("@samurai_badge_bot laptop")
    bob.waits_for("Какой текст", number=2)
    anna.answers(his, "FIRST")
    anna.waits_for("бейдж готов")
    bob.say("SECOND @samurai_badge_bot")
    bob.waits_for("бейдж готов", number=2)
    assert len(anna.sees()) == 6


@pytest.mark.parametrize(
    ("thing", "words"),
    [
        ("words that fail", "Измени слова"),
        ("nobody draws", "Попробуй ещё раз через"),
        ("what breaks", "попробуй ещё раз"),
    ],
)
def test_a_failure_says_what_to_do_and_offers_a_retry(somebody: Somebody, thing: str, words: str) -> None:
    anna = somebody()
    anna.say(f"/badge {thing} | A")
    failed = anna.waits_for("😕")
    assert words in failed.text
    if "fail" in thing:  # the same words would be refused again
        assert list(failed.buttons()) == ["✏️ Другие слова"]
        anna.press(failed, "Другие слова")
        anna.waits_for("Что держит")
        anna.say("/cancel")
        anna.waits_for("Отменено")
    else:
        anna.press(failed, "Попробовать")
        anna.waits_for("😕", number=2)
    anna.say("hello")
    anna.waits_for("Чтобы сделать бейдж")


def test_the_same_thing_at_the_same_time_shares_a_portrait(shared: RunningBot, somebody: Somebody) -> None:
    anna, bob = somebody(), somebody()
    anna.say("/badge slowly opening flower | A")
    anna.waits_for("⏳")
    bob.say("/badge slowly opening flower | B")
    hers, his = anna.waits_for("готов"), bob.waits_for("готов")
    assert any("/40" in text for text in his.versions)
    corners = [picture(shared, m.photo).getpixel((4, 4)) for m in (hers, his)]
    assert corners[0] == corners[1]
    assert shared.server.files[hers.photo] != shared.server.files[his.photo]


def test_help_and_unknown_commands(somebody: Somebody) -> None:
    anna = somebody()
    anna.say("/help")
    assert "/history" in anna.waits_for("Я делаю бейджи").text
    for command in ("/nonsense", "/stats", "/ban 5"):
        anna.say(command)
    anna.waits_for("Такой команды я не знаю", number=3)
