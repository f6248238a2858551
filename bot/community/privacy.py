"""/privacy tells what is stored and for how long; /forget deletes it after the person has confirmed."""

from bot.community import gallery
from bot.dialogue.turn import Turn
from bot.store import outbox, privacy
from bot.store.outbox import Message


def tell(turn: Turn) -> None:
    """`/privacy`: what is stored about a person, and how to delete it."""
    settings = turn.context.settings
    shown = (
        turn._(
            "Finished badges are shown in the community's gallery, with your name only if you agree. Nothing else is"
            " shared with anybody."
        )
        if settings.gallery_chat
        else turn._("Nothing is shared with anybody else.")
    )
    turn.say(
        turn._(
            "What I store about you: your Telegram user ID, your name and language; the words of your badges; their"
            " pictures for {days} days; an open question until you answer it. A message is deleted from my database"
            " once it is answered. The log contains your user ID and what you did, not your words.\n\n"
            "Objects and banner texts are passed to the model that draws; they leave this machine only if that model"
            " runs at Replicate. {shown}\n\n"
            "/forget deletes all of it. Bans, the number of badges and what they cost stay, without your words."
            " You can delete the messages in this chat yourself.",
            days=settings.keep_days,
            shown=shown,
        ),
        buttons=(gallery.button(turn),) if settings.gallery_chat else (),
    )


def ask(turn: Turn) -> None:
    """`/forget`: ask for confirmation; only this person may press the button."""
    question = turn._("Delete your badges, their pictures and everything I know about you? This cannot be undone.")
    turn.say(question, buttons=(((turn._("🗑 Delete everything"), f"forget:{turn.place.user_id}"),),))


def forget(turn: Turn) -> None:
    """Delete everything about the person in this transaction; files are removed right after it."""
    if turn.number != turn.place.user_id:
        turn.toast(turn._("This button is for somebody else."))
        return
    left = privacy.forget(turn.connection, turn.place.user_id, turn.now)
    turn.outcome.canceled += left.ended
    away = [(post.chat_id, Message("delete", target=post.message_id)) for post in left.posts]
    away += [(chat, Message("unpack", file_id)) for chat, file_id in left.stickers]
    turn.outcome.outgoing += [outbox.put(turn.connection, chat, 0, message, turn.now) for chat, message in away]
    turn.outcome.erase = True
    turn.outcome.log = "forgotten"
    turn.toast(turn._("Deleted."))
    turn.say(turn._("Everything about you is deleted. To start over: /create"))
