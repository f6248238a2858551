"""The inline keyboards: rows of (label, callback data). What a button does: `routes.ROUTES`."""

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.store.outbox import Button
from bot.texts import Texts
from configs.sections.bot import BotSettings

Rows = tuple[tuple[Button, ...], ...]


def under_badge(_: Texts, job_id: int, settings: BotSettings) -> Rows:
    """Under a finished badge."""
    changes = (
        (_("🔁 Again"), f"again:{job_id}"),
        (_("✏️ Other text"), f"text:{job_id}"),
        (_("🎀 Style"), f"style:{job_id}"),
    )
    choices = settings.choices
    more = (((_("🎲 {n} more like this", n=choices), f"more:{job_id}"),),) if choices else ()
    return (changes, *more, *under_award(_, job_id, settings))


def under_award(_: Texts, job_id: int, settings: BotSettings) -> Rows:
    """Under an award, which the person who received it cannot change."""
    pack = (((_("📌 Add to the sticker pack"), f"pack:{job_id}"),),) if settings.sticker_owner else ()
    return (copies(_, job_id), *pack)


def under_choice(job_id: int, many: int) -> Rows:
    """Under the numbered picture of several badges: a button for each."""
    return (tuple((str(number), f"choose:{job_id}:{number}") for number in range(1, many + 1)),)


def copies(_: Texts, job_id: int) -> tuple[Button, ...]:
    """Buttons for the badge as a file and as a sticker, for chats that do not allow photos too."""
    return ((_("📄 As a file"), f"file:{job_id}"), (_("🏷 As a sticker"), f"sticker:{job_id}"))


def under_review(_: Texts, job_id: int) -> Rows:
    """Under a badge in the review chat."""
    return (
        ((_("✅ Approve"), f"approve:{job_id}"), (_("⛔ Refuse"), f"refuse:{job_id}"), (_("🚫 Ban"), f"bar:{job_id}")),
    )


def under_status(_: Texts, job_id: int) -> Rows:
    """While a badge waits or is drawn."""
    return (((_("✖️ Cancel"), f"cancel:{job_id}"),),)


def under_failure(_: Texts, job_id: int, reason: str) -> Rows:
    """Under the message that a badge failed: try again, other words if those were refused, or the badge as a file."""
    if reason == "words":
        return (((_("✏️ Other words"), f"words:{job_id}"),),)
    if reason in ("refused", "picture"):
        return ()
    if reason in ("sending", "photos"):
        return (copies(_, job_id),)
    return (((_("🔁 Try again"), f"retry:{job_id}"),),)


def keyboard(rows: Rows) -> InlineKeyboardMarkup | None:
    """`rows` as Telegram's inline keyboard, None if there are none."""
    if not rows:
        return None
    return InlineKeyboardMarkup(
        [[InlineKeyboardButton(label, callback_data=data) for label, data in row] for row in rows]
    )
