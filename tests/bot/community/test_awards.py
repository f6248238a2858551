"""Awards, through the real bot: an admin gives a badge to a member, in the chat or from a list."""

import subprocess
import sys
from pathlib import Path

from pydantic import SecretStr

from bot.operations.check_community import community
from configs.settings import default_settings
from tests.bot.running import ROOT, RunningBot
from tests.fakes.telegram_api import TOKEN, Person, TelegramServer
from tests.fakes.telegram_people import BOT_ID, chat_of

CHAT = -50
FAST = {"bot__messages_per_second": "1000", "bot__edit_seconds": "0.2", "bot__edit_seconds_group": "0.2"}
FAST |= {"bot__admins": "[700]"}


def reply_to(person: Person, name: str = "Anna") -> dict[str, object]:
    """A message of `person` in the group, as the one that somebody replies to."""
    user = {"id": person.user_id, "is_bot": False, "first_name": name}
    return {"message_id": 1, "date": 1, "chat": chat_of(CHAT), "from": user, "text": "I have tested it"}


def test_an_award_is_posted_for_the_member_and_is_theirs(server: TelegramServer, folder: Path) -> None:
    with RunningBot(server, folder, bot__tag_members="true", bot__badges_per_hour="1", **FAST) as bot:
        boss, anna = server.person(700, chat_id=CHAT), server.person(1, chat_id=CHAT)
        said = boss.say("/award telescope | UX SCOUT | for the first hundred tests", reply_to_message=reply_to(anna))
        post = boss.waits_for("🏅 Anna: telescope | UX SCOUT")
        assert post.text.split("\n")[1:] == ["Награду вручает Person", "for the first hundred tests"]
        assert post.versions[0].startswith("Anna, ")
        assert (post.photos, post.reply_to) == (1, said)
        assert list(post.buttons()) == ["📄 Файлом", "🏷 Стикером"]
        server.wait(lambda: server.count("setChatMemberTag"), what="the tag")
        tagged = next(call for call in server.calls if call.method == "setChatMemberTag")
        assert (tagged.fields["user_id"], tagged.fields["tag"]) == ("1", "UX SCOUT")
        assert "чужой" in boss.toast(boss.press(post, "Файлом"))
        anna.press(post, "Файлом")
        server.wait(lambda: [m for m in anna.sees() if m.document], what="the file")
        # What is given costs nothing: the one badge of this hour is still there.
        anna.say("/badge sword | MINE")
        anna.waits_for("бейдж готов")
        anna.say("/awards")
        assert (
            "🏅 Anna: telescope | UX SCOUT (Награду вручает Person. for the" in anna.waits_for("Последние награды").text
        )
        assert "job 1 delivered" in bot.said()


def test_who_may_award_and_what_is_said_about_mistakes(server: TelegramServer, folder: Path) -> None:
    with RunningBot(server, folder, **FAST):
        boss, anna = server.person(700, chat_id=CHAT), server.person(1, chat_id=CHAT)
        server.person(700).say("/award @anna telescope | UX SCOUT")
        server.person(700).waits_for("Награды вручают в группе")
        anna.say("/award telescope | ME", reply_to_message=reply_to(boss))
        anna.waits_for("Такой команды я не знаю")
        boss.say("/award telescope", reply_to_message=reply_to(anna))
        boss.waits_for("Ответь на сообщение участника")
        boss.say("/award @nobody telescope | UX SCOUT")
        boss.waits_for("@nobody")
        boss.say(f"/award telescope | UX SCOUT | {'why ' * 80}", reply_to_message=reply_to(anna))
        boss.waits_for("Причина слишком длинная")
        boss.say("/ban 1")
        boss.waits_for("Заблокирован")
        boss.say("/award 1 telescope | UX SCOUT")
        boss.waits_for("сначала /unban")
        boss.say("/awards")
        boss.waits_for("Наград пока нет")
        assert not boss.badges()


def test_an_award_that_fails_is_tried_again_and_stays_one(server: TelegramServer, folder: Path) -> None:
    with RunningBot(server, folder, **FAST) as bot:
        boss, anna = server.person(700, chat_id=CHAT), server.person(1, chat_id=CHAT)
        boss.say("/award sword nobody draws | UX SCOUT", reply_to_message=reply_to(anna))
        failed = anna.waits_for("рисовать не получается")
        assert anna.toast(anna.press(failed, "Попробовать")) == "Делаю!"
        server.wait(lambda: bot.said().count("job 1 failed: out of memory") == 2, what="the second try")
        assert "job 2" not in bot.said()


def test_cancel_does_not_reach_an_award_and_forget_does(server: TelegramServer, folder: Path) -> None:
    with RunningBot(server, folder, **FAST):
        boss, anna = server.person(700, chat_id=CHAT), server.person(1, chat_id=CHAT)
        boss.say("/award telescope slowly | UX SCOUT", reply_to_message=reply_to(anna))
        waiting = anna.waits_for("Генерирую")
        assert waiting.buttons() == {}
        anna.say("/cancel")
        anna.waits_for("Отменять нечего")
        anna.waits_for("🏅 Anna")
        anna.say("/forget")
        anna.press(anna.waits_for("Удалить твои бейджи"), "Удалить")
        anna.waits_for("удалено")
        boss.say("/awards")
        boss.waits_for("Наград пока нет")


def test_a_list_of_awards_is_given_once_each_while_the_bot_serves(server: TelegramServer, folder: Path) -> None:
    with RunningBot(server, folder, **FAST) as bot:
        anna = server.person(1)
        anna.say(
            "/start",
            **{"from": {"id": 1, "is_bot": False, "first_name": "Анна", "username": "Anna", "language_code": "ru"}},
        )
        anna.waits_for("Что держит")
        file = folder / "awards.csv"

        def give(lines: str) -> subprocess.CompletedProcess[str]:
            file.write_text(f"user,chat,object,text,why\n{lines}")
            command = [sys.executable, "-m", "bot", "--award", str(file)]
            return subprocess.run(command, cwd=ROOT, env=bot.environment(), capture_output=True, text=True, check=False)

        bad = give(f"@anna,{CHAT},telescope,ONE,\n@nobody,{CHAT},telescope,TWO,\n1,50,telescope,THREE,\n1,{CHAT},,X,\n")
        assert bad.returncode == 2
        assert "line 3: user: @nobody has never written" in bad.stderr
        assert "line 4: chat: the ID of a group" in bad.stderr
        assert "line 5: " in bad.stderr
        assert "nothing was stored" in bad.stderr
        good = f"@anna,{CHAT},telescope,ONE,for all of it\n2,{CHAT},sword,TWO,\n2,{CHAT},sword,TWO,\n"
        assert give(good).stdout.startswith("3 awards stored. The bot")
        group = server.person(700, chat_id=CHAT)
        server.wait(lambda: len(group.badges()) == 3, what="three awards")
        assert "🏅 Анна: telescope | ONE\nfor all of it" in [badge.text for badge in group.badges()]
        again = give(good + f"3,{CHAT},lamp,THREE,\n")
        assert again.stdout.startswith("1 award stored, 3 were given before")
        server.wait(lambda: len(group.badges()) == 4, what="the fourth")
        bot.stop()
        assert "job 5" not in bot.said()


def test_dying_at_every_commit_point_gives_each_award_once(server: TelegramServer, folder: Path) -> None:
    folder.mkdir()
    trace = folder / "trace.txt"
    boss = server.person(700, chat_id=CHAT)

    def give(number: int) -> None:
        boss.say(f"/award telescope | N{number}", reply_to_message=reply_to(server.person(number), f"P{number}"))

    with RunningBot(server, folder / "traced", "--trace", str(trace), bot__tag_members="true", **FAST) as bot:
        give(999)
        boss.waits_for("🏅 P999")
        server.wait(lambda: server.count("setChatMemberTag"), what="the tag")
        bot.stop()
    points = list(dict.fromkeys(trace.read_text().split("\n")[:-1]))
    points = [point for point in points if not point.startswith(("recovered", "tidied", "intent"))]
    assert {"drawn:before", "sent:after", "answered:after", "delivered:before", "delivered:after"} <= set(points)
    bot = RunningBot(server, folder / "crashed", bot__tag_members="true", **FAST)
    for number, point in enumerate(points, start=1):
        give(number)
        bot.start("--die-at", point)
        process = bot.process
        assert process is not None
        server.wait(lambda p=process: p.poll() is not None, 60, f"the bot to die at {point}")
        assert process.returncode == -9, bot.said()
    with bot:
        wanted = {f"🏅 P{number}: telescope | N{number}" for number in (999, *range(1, len(points) + 1))}
        shown = lambda: [m.text.split("\n")[0] for m in boss.badges()]  # noqa: E731
        server.wait(lambda: wanted <= set(shown()), 120, "every award")
        tags = lambda: {call.fields["tag"] for call in server.calls if call.method == "setChatMemberTag"}  # noqa: E731
        server.wait(lambda: len(tags()) == 1 + len(points), what="every tag")
        bot.stop()
    assert sorted(shown()) == sorted(wanted)


def test_check_says_whether_the_bot_may_tag(server: TelegramServer) -> None:
    server.members |= {CHAT: {BOT_ID}}
    settings = default_settings()
    secrets = settings.secrets.model_copy(update={"telegram_bot_token": SecretStr(TOKEN)})

    def finding(**values: object) -> tuple[str, str]:
        bot = settings.bot.model_copy(update={"base_url": server.base_url, "tag_members": True, **values})
        found = community(settings.model_copy(update={"bot": bot, "secrets": secrets}))
        return next((each.state, each.found) for each in found if each.what == "tag_members")

    assert finding() == ("warning", "bot.chats names no group")
    assert finding(chats=(CHAT,)) == ("warning", f"the bot may not tag members in {CHAT}")
    server.taggers = {CHAT}
    assert finding(chats=(CHAT,)) == ("ok", "1 chats")
