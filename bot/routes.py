"""The table of handlers, and the checks that apply to all of them.

A route is `/command`, `?question` (the open question that the next text answers) or `verb:` (callback data of a
button). `words` returns the text of an event that has to be translated before its transaction begins, since that may
take a while; `handler` then decides. Decisions are stored in the turn's transaction; nothing is sent from here.

Callback data is `verb` or `verb:number[:word]`, at most 64 bytes. It comes from the client and may be forged or old:
the badge must exist and belong to whoever pressed the button, else the callback query is answered with a refusal.
"""

import re
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from telegram import BotCommand

from bot.community import awards, choosing, gallery, history, members, privacy, review, welcome
from bot.dialogue import admin, buttons, characters, commands, questions
from bot.dialogue.events import Event
from bot.dialogue.turn import Context, Turn
from bot.store import inbox, jobs, people
from bot.store import members as names
from bot.store.people import Dialogue
from bot.texts import Texts

Words = Callable[[Event, Dialogue | None, Context], str]


def no_words(event: Event, dialogue: Dialogue | None, context: Context) -> str:
    """For routes without text to translate."""
    return ""


@dataclass(frozen=True)
class Route:
    """One line of the table.

    `of_badge`: the button is under a badge. `for_admins`: to others the route does not exist. `for_everybody`: also for
    people whom the bot does not serve.
    """

    handler: Callable[[Turn], None]
    words: Words = no_words
    of_badge: bool = False
    for_admins: bool = False
    for_everybody: bool = False
    menu: Callable[[Texts], str] | None = None
    """The command's description in the command menu; None if it is not listed there."""


ROUTES: dict[str, Route] = {
    "/start": Route(welcome.start),
    "/create": Route(commands.create, menu=lambda _: _("a new badge")),
    "/badge": Route(
        commands.badge, commands.words_of_badge, menu=lambda _: _("telescope | UX SCOUT - a badge in one line")
    ),
    "/awards": Route(awards.list_awards, menu=lambda _: _("who received which award")),
    "/history": Route(history.history, menu=lambda _: _("your last badges")),
    "/cancel": Route(commands.cancel, menu=lambda _: _("cancel at any time")),
    "/character": Route(characters.usual_here),
    "/language": Route(welcome.language, menu=lambda _: _("the language I answer in")),
    "/privacy": Route(privacy.tell, for_everybody=True, menu=lambda _: _("what I store about you")),
    "/forget": Route(privacy.ask, for_everybody=True, menu=lambda _: _("delete everything about you")),
    "/help": Route(lambda turn: commands.help_(turn, _names_for_admins()), menu=lambda _: _("what I can do")),
    "/stats": Route(admin.stats, for_admins=True),
    "/pause": Route(admin.pause, for_admins=True),
    "/resume": Route(admin.resume, for_admins=True),
    "/award": Route(awards.award, awards.words_of_award, for_admins=True),
    "/ban": Route(members.ban, for_admins=True),
    "/unban": Route(members.unban, for_admins=True),
    "/allow": Route(members.allow, for_admins=True),
    "/deny": Route(members.deny, for_admins=True),
    "/people": Route(members.list_people, for_admins=True),
    "?": Route(questions.nothing_asked, questions.perhaps_object),
    "?preset": Route(commands.character, commands.words_of_character),
    "?object": Route(questions.object_, questions.whole_text),
    "?doubt": Route(questions.object_, questions.whole_text),
    "?text": Route(questions.text),
    "?new_text": Route(questions.new_text),
    "character:": Route(commands.character, commands.words_of_character),
    "usual:": Route(characters.choose_usual),
    "hold:": Route(buttons.hold, buttons.words_of_suggestion),
    "near:": Route(buttons.near, buttons.words_of_near),
    "meant:": Route(buttons.meant, buttons.words_of_dialogue),
    "anyway:": Route(buttons.anyway, buttons.words_of_dialogue),
    "take:": Route(buttons.take),
    "show:": Route(history.show, of_badge=True),
    "forget:": Route(privacy.forget, for_everybody=True),
    "named:": Route(gallery.name, for_everybody=True),
    "allow:": Route(members.press_allow, for_admins=True),
    "deny:": Route(members.press_deny, for_admins=True),
    "approve:": Route(review.approve, for_everybody=True),
    "refuse:": Route(review.refuse, for_everybody=True),
    "bar:": Route(review.bar, for_everybody=True),
    "language:": Route(welcome.choose_language),
    "correct:": Route(commands.create),
    "again:": Route(buttons.again, of_badge=True),
    "more:": Route(choosing.more, of_badge=True),
    "choose:": Route(choosing.choose, of_badge=True),
    "retry:": Route(buttons.retry, of_badge=True),
    "words:": Route(commands.create, of_badge=True),
    "style:": Route(buttons.style, of_badge=True),
    "text:": Route(buttons.text, of_badge=True),
    "file:": Route(buttons.file, of_badge=True),
    "sticker:": Route(buttons.sticker, of_badge=True),
    "pack:": Route(buttons.pack, of_badge=True),
    "cancel:": Route(buttons.cancel, of_badge=True),
}

_NOT_SHOWN = ("refused", "picture")
"""Errors of jobs whose picture must not be shown, whichever button is pressed."""
_DATA = re.compile(r"([a-z]+)(?::(\d{1,18}))?(?::([a-z0-9-]{1,20}))?", re.ASCII)


def menu(_: Texts) -> list[BotCommand]:
    """The commands for `setMyCommands`."""
    return [BotCommand(name[1:], route.menu(_)) for name, route in ROUTES.items() if route.menu is not None]


def answer(turn: Turn) -> None:
    """Handle one event, in the turn's transaction."""
    event = turn.event
    if event.kind == "moved":
        turn.outcome.warning = people.move_chat(turn.connection, event.place.chat_id, event.moved_to)
    elif event.kind == "left":
        turn.outcome.canceled += jobs.abandon(turn.connection, event.place.chat_id, None, turn.now)
    elif event.kind == "membership":
        names.remember(turn.connection, event.place.chat_id, event.place.user_id, event.member, turn.now)
    elif event.kind == "nameless":
        commands.nameless(turn)
    elif not addressed(turn.connection, event):
        return
    elif not _served(turn):
        members.turn_away(turn)
    elif event.kind == "press":
        _press(turn)
    elif event.kind == "command":
        _command(turn)
    elif event.album and not inbox.first_of_album(turn.connection, event.update_id, event.album, event.kind == "text"):
        turn.outcome.log = "one of an album"
    else:
        _question(turn)


def addressed(connection: sqlite3.Connection, event: Event) -> bool:
    """Whether the event is for the bot. In groups a reply to it counts only if it had asked that person something."""
    if event.private or event.kind in ("command", "press") or event.mentioned:
        return True
    return bool(event.reply_to) and people.asked(connection, event.place, event.reply_to)


def has_words(event: Event) -> bool:
    """Whether `words_to_understand` may return any; by the event alone, since most commands and buttons have none."""
    if event.kind not in ("command", "press"):
        return event.kind == "text"
    route = ROUTES.get(_name(event, None))
    return route is not None and route.words is not no_words


def words_to_understand(event: Event, dialogue: Dialogue | None, context: Context) -> str:
    """The text to translate before this event can be answered, "" if there is none."""
    route = ROUTES.get(_name(event, dialogue))
    return "" if route is None or event.kind in ("other", "edited") else route.words(event, dialogue, context)


def _name(event: Event, dialogue: Dialogue | None) -> str:
    if event.kind == "command":
        return f"/{event.command}"
    if event.kind == "press":
        match = _DATA.fullmatch(event.text)
        return f"{match[1]}:" if match else ""
    return "?" if dialogue is None else f"?{dialogue.question}"


def _command(turn: Turn) -> None:
    """Answer a command. Only admins learn that the admins' commands exist."""
    name = _name(turn.event, None)
    route = ROUTES.get(name)
    turn.outcome.log = name if route is not None else "an unknown command"  # not logged by name: it may be any text
    if route is None or (route.for_admins and not turn.admin):
        turn.say(turn._("I do not know that command. What I can do: /help"))
    else:
        route.handler(turn)


def _press(turn: Turn) -> None:
    """Answer a callback query; always with a toast or a message, so that the button stops spinning."""
    match = _DATA.fullmatch(turn.event.text)
    verb, number, turn.word = match.groups(default="") if match else ("", "", "")
    turn.number = int(number) if number else None
    route = ROUTES.get(f"{verb}:")
    turn.outcome.log = f"button {verb if route is not None else 'unknown'}"
    if route is None or (route.for_admins and not turn.admin):
        turn.too_old()
    elif not route.of_badge:
        turn.preset = _character_of(turn.dialogue())
        route.handler(turn)
    else:
        turn.job = jobs.get(turn.connection, turn.number) if turn.number is not None else None
        if turn.job is None or not turn.job.english:  # emptied by /forget
            turn.too_old()
        elif turn.job.state in ("reviewing", "offered") or turn.job.error in _NOT_SHOWN:
            turn.toast(turn._("This badge has not been approved, so its buttons do not work."), alert=True)
        elif (turn.job.user_id, turn.job.chat_id) != (turn.place.user_id, turn.place.chat_id):
            turn.toast(turn._("This is somebody else's badge. Make your own: /create"), alert=True)
        else:
            turn.preset = turn.job.preset
            route.handler(turn)


def _question(turn: Turn) -> None:
    """Answer a text, or a photo and the like, by the question that is open."""
    dialogue = turn.dialogue()
    if turn.event.kind == "edited":
        if dialogue is not None or turn.event.command:
            turn.hint(turn._("I do not see edits to messages. Please send a new one."))
        return
    turn.preset = _character_of(dialogue)
    ROUTES.get(_name(turn.event, dialogue), ROUTES["?"]).handler(turn)


def _character_of(dialogue: Dialogue | None) -> str | None:
    """The preset that an open question is about; None if the question is which preset."""
    return None if dialogue is None or dialogue.question == "preset" else dialogue.preset


def _served(turn: Turn) -> bool:
    """Whether this person is answered. Everybody may see and delete what is stored about them (`for_everybody`)."""
    event, user = turn.event, turn.place.user_id
    unbanned = people.meet(turn.connection, user, turn.telegram_language)
    names.call(turn.connection, user, event.name, event.username, turn.now)
    welcome_here = unbanned and members.allowed(turn)
    route = ROUTES.get(_name(turn.event, None)) if turn.event.kind in ("command", "press") else None
    return welcome_here or (route is not None and route.for_everybody)


def _names_for_admins() -> str:
    return " ".join(name for name, route in ROUTES.items() if route.for_admins)
