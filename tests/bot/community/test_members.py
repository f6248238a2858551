"""Who may use the bot: members of chats, people whom an admin lets in, and the admins' commands about people."""

from pathlib import Path

from pydantic import SecretStr

from bot.operations.check_community import community
from configs.settings import default_settings
from tests.bot.running import RunningBot
from tests.fakes.telegram_api import TOKEN, Person, TelegramServer
from tests.fakes.telegram_people import BOT_ID, chat_of

FAST = {"bot__messages_per_second": "1000", "bot__admins": "[7]"}


def test_members_may_are_asked_about_once_and_lose_it_when_they_leave(server: TelegramServer, folder: Path) -> None:
    server.members[-50] = {1}
    with RunningBot(server, folder, bot__members_of="[-50]", **FAST) as bot:
        anna, stranger = server.person(1), server.person(2)
        anna.say("/create")
        anna.waits_for("Что держит")
        anna.say("telescope")
        anna.waits_for("Какой текст")
        stranger.say("/create")
        stranger.waits_for("для тебя закрыт")
        assert server.count("getChatMember") == 2
        bot.stop()
        bot.start()
        anna.say("/create")
        anna.waits_for("Что держит", number=2)
        assert server.count("getChatMember") == 2
        server.leaves(1, -50)
        anna.say("/create")
        anna.waits_for("для тебя закрыт")
        assert server.count("getChatMember") == 2


def test_nobody_asks_about_the_membership_of_those_who_may_anyway(server: TelegramServer, folder: Path) -> None:
    server.members[-50] = set()
    with RunningBot(server, folder, bot__members_of="[-50]", bot__users="[3]", **FAST):
        for listed in (server.person(3), server.person(7)):
            listed.say("/create")
            listed.waits_for("Что держит")
            listed.say("telescope")
            listed.waits_for("Какой текст")
        assert server.count("getChatMember") == 0


def test_a_membership_is_asked_about_again_after_an_hour(server: TelegramServer, folder: Path) -> None:
    folder.mkdir()
    server.members[-50] = {1}
    options = ("--wall-offset", str(folder / "offset"))
    with RunningBot(server, folder, *options, bot__members_of="[-60, -50]", **FAST):
        anna = server.person(1)
        anna.say("/create")
        anna.waits_for("Что держит")
        server.members[-50] = set()
        (folder / "offset").write_text("3700")
        anna.say("/create")
        anna.waits_for("для тебя закрыт")


def test_a_strangers_request_goes_to_the_admins_once(server: TelegramServer, folder: Path) -> None:
    with RunningBot(server, folder, bot__ask_admins="true", **FAST) as bot:
        anna, boris, boss = server.person(1), server.person(2), server.person(7)
        boss.say("/people")
        boss.waits_for("7")
        anna.say("/start")
        anna.waits_for("спросил админов")
        anna.say("please let me in")
        request = boss.waits_for("просит доступ: /start")
        assert anna.toast(anna.press(request, "", data="allow:1")) == "Этот бот для тебя закрыт."
        boss.press(request, "Разрешить")
        anna.waits_for("Теперь тебе доступен")
        bot.stop()
        bot.start()
        anna.say("/create")
        anna.waits_for("Что держит")
        boris.say("/start")
        boss.press(boss.waits_for("просит доступ", number=2), "Отказать")
        boris.waits_for("для тебя закрыт")
        boss.say("/people")
        listed = boss.waits_for("доступ разрешён", number=2).text
        assert "✅ Person 1" in listed
        assert "⛔ Person 2" in listed
        assert len([m for m in boss.sees() if "просит доступ" in m.text]) == 2


def reply_to(person: Person, author: int, command: str) -> None:
    """Write a command as a reply to somebody's message."""
    user = {"id": author, "is_bot": False, "first_name": "Other"}
    before = {"message_id": 1, "date": 1, "chat": chat_of(person.chat_id), "from": user, "text": "hi"}
    person.say(command, reply_to_message=before)


def test_people_are_named_by_number_name_or_reply(server: TelegramServer, folder: Path) -> None:
    with RunningBot(server, folder, **FAST):
        boss, anna = server.person(7), server.person(1)
        user = {"id": 1, "is_bot": False, "first_name": "Anna", "username": "Anna_K", "language_code": "ru"}
        server.deliver("message", anna.message(text="спасибо") | {"from": user})
        anna.waits_for("Чтобы сделать бейдж")
        boss.say("/ban @anna_k")
        boss.waits_for("Заблокирован: 1")
        boss.say("/people")
        assert "🚫 Anna @anna_k 1" in boss.waits_for("заблокированы;").text
        reply_to(boss, 1, "/unban")
        boss.waits_for("1", number=3)
        boss.say("/ban @nobody")
        boss.waits_for("Не знаю, кто такой @nobody")
        reply_to(boss, 7, "/ban")
        boss.waits_for("7 — админ")
        boss.say("/ban")
        boss.waits_for("в ответ на его сообщение")
        anna.say("/create")
        anna.waits_for("Что держит")


def test_check_says_where_the_bot_is_no_member(server: TelegramServer) -> None:
    server.members |= {-50: {BOT_ID}, -51: set()}
    values = {"base_url": server.base_url, "members_of": (-50,), "ask_admins": True, "admins": ()}
    settings = default_settings()
    secrets = settings.secrets.model_copy(update={"telegram_bot_token": SecretStr(TOKEN)})

    def findings(**more: object) -> dict[str, tuple[str, str]]:
        bot = settings.bot.model_copy(update=values | more)
        found = community(settings.model_copy(update={"bot": bot, "secrets": secrets}))
        return {each.what: (each.state, each.found) for each in found}

    assert findings()["members_of"] == ("warning", "the bot is not an admin in -50")
    assert findings(members_of=(-50, -51, -52))["members_of"] == ("FAILED", "the bot is not in -51, -52")
    assert findings()["ask_admins"] == ("FAILED", "there is nobody to ask")
    assert findings(admins=(7,))["ask_admins"][0] == "ok"
