"""Who may use the bot: the lists in the settings, chat members, an admin's decision; and the commands for that."""

from bot.dialogue.turn import Turn
from bot.store import jobs, members, outbox, people
from bot.store.members import ALLOWED, DENIED, Known
from bot.store.outbox import Button, Message
from bot.texts import texts_for
from bot.words import person_words
from configs.sections.bot import BotSettings

_LISTED = 40  # people in /people, chosen by hand: lines of usual length fit into one message of 4096 characters
_LONGEST = 200  # characters of what a person wrote, in the request to the admins; chosen by hand


def is_open(settings: BotSettings) -> bool:
    """Whether everybody may use the bot."""
    return not (settings.users or settings.chats or settings.members_of or settings.ask_admins)


def allowed(turn: Turn) -> bool:
    """Whether this person may use the bot here."""
    settings, place, connection = turn.context.settings, turn.place, turn.connection
    if is_open(settings) or place.user_id in (*settings.users, *settings.admins):
        return True
    decided = members.access(connection, place.user_id)
    if decided:
        return decided == ALLOWED
    if any(chat in settings.chats for chat in people.ids_of_chat(connection, place.chat_id)):
        return True
    return members.is_member(connection, settings.members_of, place.user_id)


def turn_away(turn: Turn) -> None:
    """Tell a person that the bot is not open to them; with `bot.ask_admins`, ask the admins the first time."""
    event, settings = turn.event, turn.context.settings
    turn.outcome.log = f"refused: not allowed in chat {event.place.chat_id}"
    speaks = event.kind == "command" or (event.private and event.kind == "text")
    waits = settings.ask_admins and not members.access(turn.connection, turn.place.user_id) and _unbanned(turn)
    if waits and speaks and members.asks(turn.connection, turn.place.user_id, turn.now):
        for admin in settings.admins:
            turn.outcome.outgoing.append(_request(turn, admin))
        turn.outcome.log = "asks to be let in"
    if event.kind == "press":
        turn.toast(turn._("This bot is not open to you."))
    elif waits and event.private and speaks:
        turn.hint(turn._("This bot is not open to everybody. I have asked the admins and will write to you."))
    elif event.private and speaks:
        turn.hint(turn._("This bot is not open to you."))


def _unbanned(turn: Turn) -> bool:
    return not people.is_banned(turn.connection, turn.place.user_id)


def _request(turn: Turn, admin: int) -> outbox.Outgoing:
    """The message that asks an admin whether somebody may use the bot."""
    event, user = turn.event, turn.place.user_id
    _ = texts_for(people.language(turn.connection, admin))
    said = " ".join((f"/{event.command} " if event.command else "").split() + event.text.split())[:_LONGEST]
    who = person_words(Known(user, event.name, event.username, 0, False))
    text = _("{who} asks for access: {words}", who=who, words=said)
    row: tuple[Button, ...] = ((_("✅ Allow"), f"allow:{user}"), (_("⛔ Deny"), f"deny:{user}"))
    return outbox.put(turn.connection, admin, admin, Message("text", text, buttons=(row,)), turn.now)


def press_allow(turn: Turn) -> None:
    """The button Allow under a request."""
    _decide(turn, turn.number or 0, ALLOWED)


def press_deny(turn: Turn) -> None:
    """The button Deny under a request."""
    _decide(turn, turn.number or 0, DENIED)


def allow(turn: Turn) -> None:
    """`/allow 123`, `/allow @username` or as a reply: that person may use the bot."""
    _decide(turn, meant(turn), ALLOWED)


def deny(turn: Turn) -> None:
    """`/deny 123`, `/deny @username` or as a reply: that person may not, whichever chats they are in."""
    _decide(turn, meant(turn), DENIED)


def ban(turn: Turn) -> None:
    """`/ban`: that person is no longer answered, and their jobs are canceled."""
    _set_banned(turn, meant(turn), True)


def unban(turn: Turn) -> None:
    """`/unban`: lift a ban."""
    _set_banned(turn, meant(turn), False)


def list_people(turn: Turn) -> None:
    """`/people`: who is allowed, denied or banned, then the others by when they last wrote."""
    lines = []
    for person in members.listed(turn.connection, _LISTED):
        marks = {ALLOWED: "✅ ", DENIED: "⛔ "}.get(person.access, "") + ("🚫 " if person.banned else "")
        lines.append(marks + person_words(person))
    legend = turn._("✅ allowed, ⛔ denied, 🚫 banned; the others by when they last wrote:")
    turn.say("\n".join([legend, *lines]) if lines else turn._("Nobody has written to me yet."))


def meant(turn: Turn) -> int:
    """The user id that a command names by id, @username or reply; 0 if none, which the admin is told."""
    said = turn.event.text.split()[0] if turn.event.text.split() else ""
    if not said and turn.event.replied_user:
        return turn.event.replied_user
    return person_meant(turn, said)


def person_meant(turn: Turn, said: str) -> int:
    """The user id for `said`, an id or @username; 0 if there is none, which the admin is told."""
    if said.isascii() and said.isdigit() and len(said) <= 18:
        return int(said)
    if said.startswith("@") and len(said) > 1:
        found = members.by_username(turn.connection, said[1:])
        if not found:
            turn.say(
                turn._(
                    "I do not know {name}: I only know the usernames of people who have written to me."
                    " Use the person's user ID.",
                    name=said[:40],
                )
            )
        return found
    turn.say(
        turn._(
            "Write the person's user ID or @username after the command, or reply to their message,"
            " for example: /ban 123456"
        )
    )
    return 0


def _decide(turn: Turn, user_id: int, decision: int) -> None:
    if not user_id:
        return
    settings = turn.context.settings
    if decision == DENIED and user_id in settings.admins:
        _say(turn, turn._("{number} is an admin (bot.admins) and cannot be banned.", number=user_id))
        return
    changed = members.decide(turn.connection, user_id, decision)
    words = turn._("Allowed: {number}") if decision == ALLOWED else turn._("Denied: {number}")
    _say(turn, words.format(number=user_id))
    turn.outcome.log = f"{'allowed' if decision == ALLOWED else 'denied'} {user_id}"
    if not changed:
        return
    _ = texts_for(people.language(turn.connection, user_id))
    if decision == DENIED:
        turn.outcome.canceled += jobs.cancel_person(turn.connection, user_id, turn.now)
        told = _("This bot is not open to you.")
    else:
        told = _("You can use this bot now: /create")
    if not is_open(settings):
        turn.outcome.outgoing.append(outbox.put(turn.connection, user_id, user_id, Message("text", told), turn.now))


def _set_banned(turn: Turn, user_id: int, banned: bool) -> None:
    if not user_id:
        return
    if banned and user_id in turn.context.settings.admins:
        turn.say(turn._("{number} is an admin (bot.admins) and cannot be banned.", number=user_id))
        return
    people.ban(turn.connection, user_id, banned)
    if banned:
        turn.outcome.canceled += jobs.cancel_person(turn.connection, user_id, turn.now)
    turn.say(
        turn._("Banned: {number}", number=user_id) if banned else turn._("No longer banned: {number}", number=user_id)
    )


def _say(turn: Turn, text: str) -> None:
    """Answer the admin: by a toast if they pressed a button, else by a message."""
    if turn.event.kind == "press":
        turn.toast(text)
    else:
        turn.say(text)
