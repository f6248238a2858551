"""Review: every badge is shown in the review chat, and delivered only once somebody there approves it."""

from pathlib import Path

from pydantic import SecretStr

from bot.operations.check_community import community
from configs.settings import default_settings
from tests.bot.running import RunningBot
from tests.fakes.telegram_api import TOKEN, Msg, Person, TelegramServer
from tests.fakes.telegram_people import BOT_ID

CHAT = -70
FAST = {"bot__messages_per_second": "1000", "bot__edit_seconds": "0.2"}
FAST |= {"bot__admins": "[700]", "bot__review_chat": str(CHAT)}
READY, WAITS = "бейдж готов", "как только его одобрит админ"


def ask(person: Person, words: str = "/badge telescope | UX SCOUT", number: int = 1) -> None:
    """Ask for a badge and wait until it waits for its review."""
    person.say(words)
    person.waits_for(WAITS, number=number)


def shown(reviewer: Person, number: int = 1) -> Msg:
    """The `number`-th post in the review chat, once it is a picture with buttons."""
    return reviewer.server.wait(
        lambda: [m for m in reviewer.badges() if m.buttons()][number - 1 : number] or None, what="a badge to review"
    )[0]


def test_a_badge_is_delivered_once_it_is_approved(server: TelegramServer, folder: Path) -> None:
    with RunningBot(server, folder, **FAST) as bot:
        anna, reviewer = server.person(1), server.person(8, chat_id=CHAT)
        ask(anna)
        assert anna.badges() == []
        post = shown(reviewer)
        assert "Person 1" in post.text
        assert "telescope | UX SCOUT" in post.text
        assert post.photos == 1
        assert list(post.buttons()) == ["✅ Approve", "⛔ Refuse", "🚫 Ban"]
        status = anna.sees()[0]
        for data in ("file:1", "sticker:1", "again:1", "text:1", "style:1:plate", "show:1", "retry:1"):
            assert "не одобрен" in anna.toast(anna.press(status, "", data=data)), data
        assert reviewer.toast(reviewer.press(post, "Approve")) == "✅ одобрено: Person"
        anna.waits_for(READY)
        assert [m.photos for m in anna.sees()] == [1]
        reviewer.waits_for("approved by Person")
        assert reviewer.badges()[0].buttons() == {}
        assert "не ждёт" in reviewer.toast(reviewer.press(post, "", data="refuse:1"))
        # Another text is another badge to look at.
        anna.press(anna.badges()[0], "Другой текст")
        anna.waits_for("Какой текст")
        ask(anna, "SOMETHING ELSE", number=1)
        assert "SOMETHING ELSE" in shown(reviewer).text
        assert len(anna.badges()) == 1
        assert "job 1 approved" in bot.said()


def test_a_badge_to_review_is_told_of_in_three_calls(server: TelegramServer, folder: Path) -> None:
    with RunningBot(server, folder, "--seconds", "1.5", "--steps", "15", **FAST | {"bot__edit_seconds": "2"}):
        anna, reviewer = server.person(1), server.person(8, chat_id=CHAT)
        ask(anna)
        reviewer.press(shown(reviewer), "Approve")
        anna.waits_for(READY)
        first, waits, _ = anna.badges()[0].versions  # no second stage, which the wait would replace at once
        assert first == "⏳ Генерирую... (1/2)"
        assert WAITS in waits
        calls = [call.method for call in server.calls if call.chat_id == 1]
        assert calls == ["sendMessage", "editMessageText", "editMessageMedia"]


def test_a_refused_badge_is_kindly_refused_and_reaches_nobody(server: TelegramServer, folder: Path) -> None:
    with RunningBot(server, folder, **FAST) as bot:
        anna, reviewer = server.person(1), server.person(8, chat_id=CHAT)
        ask(anna)
        reviewer.press(shown(reviewer), "Refuse")
        told = anna.waits_for("не одобрили")
        assert told.buttons() == {}
        for data in ("file:1", "sticker:1", "again:1", "retry:1"):
            assert "не одобрен" in anna.toast(anna.press(told, "", data=data)), data
        anna.say("/history")
        anna.waits_for("бейджей здесь пока нет")
        assert not [m for m in anna.sees() if m.photo or m.document or m.sticker]
        assert "job 1 refused" in bot.said()


def test_ban_refuses_everything_that_a_person_waits_for(server: TelegramServer, folder: Path) -> None:
    with RunningBot(server, folder, **FAST):
        anna, boss = server.person(1), server.person(700)
        reviewer = server.person(8, chat_id=CHAT)
        ask(anna)
        ask(anna, "/badge sword | TWO", number=2)
        reviewer.press(shown(reviewer, 2), "Ban")
        anna.waits_for("не одобрили")
        anna.waits_for("Отменено")
        anna.say("/create")
        boss.say("/people")
        assert "🚫 Person 1" in boss.waits_for("Person 1").text
        assert not [m for m in anna.sees() if "Что держит" in m.text]
        ask(boss)
        third = shown(reviewer, 2)
        assert "заблокировать его нельзя" in reviewer.toast(reviewer.press(third, "", data="bar:3"))
        reviewer.press(third, "", data="approve:3")
        boss.waits_for(READY)


def test_only_the_review_chat_and_admins_decide(server: TelegramServer, folder: Path) -> None:
    with RunningBot(server, folder, **FAST):
        anna, boss = server.person(1), server.person(700)
        ask(anna)
        status = anna.sees()[0]
        assert "устарела" in anna.toast(anna.press(status, "", data="approve:1"))
        assert anna.badges() == []
        boss.press(status, "", data="approve:1")
        anna.waits_for(READY)


def test_nobody_decides_and_everybody_is_told(server: TelegramServer, folder: Path) -> None:
    folder.mkdir()
    options = ("--wall-offset", str(folder / "offset"))
    with RunningBot(server, folder, *options, bot__review_hours="0.003", **FAST):
        anna, reviewer = server.person(1), server.person(8, chat_id=CHAT)
        ask(anna)
        post = shown(reviewer)
        (folder / "offset").write_text("20")
        assert reviewer.waits_for("still waiting for review").reply_to == post.id
        anna.waits_for("Я напомнил админам")
        (folder / "offset").write_text("2000")
        reviewer.press(post, "Approve")
        anna.waits_for(READY)
        assert len([m for m in anna.sees() if "напомнил" in m.text]) == 1


def test_forget_takes_the_badge_out_of_the_review_chat(server: TelegramServer, folder: Path) -> None:
    with RunningBot(server, folder, **FAST):
        anna, reviewer = server.person(1), server.person(8, chat_id=CHAT)
        ask(anna)
        post = shown(reviewer)
        anna.say("/forget")
        anna.press(anna.waits_for("Удалить твои бейджи"), "Удалить")
        server.wait(lambda: post.id not in server.messages[CHAT], what="the post to go")
        assert "не ждёт" in reviewer.toast(reviewer.press(post, "", data="approve:1"))
        assert anna.badges() == []


def test_dying_at_every_commit_point_loses_and_doubles_nothing(server: TelegramServer, folder: Path) -> None:
    """At each start a person more asks, and the bot dies at the next point; whatever is to be approved is."""
    folder.mkdir()
    trace = folder / "trace.txt"
    reviewer = server.person(8, chat_id=CHAT)
    with RunningBot(server, folder / "traced", "--trace", str(trace), **FAST) as bot:
        boris = server.person(999)
        ask(boris)
        reviewer.press(shown(reviewer), "Approve")
        boris.waits_for(READY)
        bot.stop()
    points = list(dict.fromkeys(trace.read_text().split("\n")[:-1]))
    points = [point for point in points if not point.startswith(("recovered", "tidied", "intent"))]
    assert {"drawn:before", "drawn:after", "sent:after", "answered:after", "delivered:before"} <= set(points)
    people: list[Person] = []
    pressed: set[int] = set()

    def approve() -> None:
        for post in reviewer.badges():
            if post.buttons() and post.id not in pressed:
                pressed.add(post.id)
                reviewer.press(post, "Approve")

    bot = RunningBot(server, folder / "crashed", **FAST)
    pressed.update(post.id for post in reviewer.badges())
    for number, point in enumerate(points, start=1):
        people.append(server.person(number))
        people[-1].say("/badge telescope | UX SCOUT")
        bot.start("--die-at", point)
        process = bot.process
        assert process is not None
        server.wait(lambda p=process: approve() or p.poll() is not None, 180, f"the bot to die at {point}")
        assert process.returncode == -9, bot.said()
    with bot:
        server.wait(lambda: approve() or all(person.badges() for person in people), 180, "everybody's badge")
        bot.stop()
    assert [len(person.badges()) for person in people] == [1] * len(points)
    assert len(reviewer.badges()) == 1 + len(points)


def test_an_answer_that_is_lost_shows_the_badge_once(server: TelegramServer, folder: Path) -> None:
    lost: list[str] = []

    def drop(method: str, fields: dict[str, str]) -> bool:
        if method == "editMessageMedia" and fields["chat_id"] == str(CHAT) and not lost:
            lost.append(method)
            return True
        return False

    server.faults.drop_answer = drop
    with RunningBot(server, folder, **FAST):
        anna, reviewer = server.person(1), server.person(8, chat_id=CHAT)
        ask(anna)
        post = shown(reviewer)
        server.wait(lambda: lost, what="the lost answer")
        reviewer.press(post, "Approve")
        anna.waits_for(READY)
        assert len(reviewer.badges()) == 1


def test_check_says_whether_the_bot_may_post_in_the_review_chat(server: TelegramServer) -> None:
    server.members |= {CHAT: {BOT_ID}, -71: set()}
    settings = default_settings()
    secrets = settings.secrets.model_copy(update={"telegram_bot_token": SecretStr(TOKEN)})

    def finding(chat: int) -> tuple[str, str]:
        bot = settings.bot.model_copy(update={"base_url": server.base_url, "review_chat": chat})
        found = community(settings.model_copy(update={"bot": bot, "secrets": secrets}))
        return next((each.state, each.found) for each in found if each.what == "review_chat")

    assert finding(CHAT) == ("ok", f"the bot may post in {CHAT}")
    assert finding(-71) == ("FAILED", "the bot is not in -71")
    assert finding(-72) == ("FAILED", "the bot is not in -72")
