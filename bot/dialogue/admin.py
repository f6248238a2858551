"""The commands of admins: numbers, pause and resume, and who may not talk to the bot."""

from bot.dialogue.turn import Turn
from bot.store import jobs, people, queue
from bot.words import state_name


def stats(turn: Turn) -> None:
    """Numbers for admins."""
    totals = queue.totals(turn.connection, turn.now)
    day = ", ".join(f"{state_name(turn._, state)} {count}" for state, count in sorted(totals.day.items())) or "0"
    lines = [
        turn._("Waiting: {waiting}, being drawn: {drawing}, people: {people}",
               waiting=totals.waiting, drawing=totals.drawing, people=totals.people),
        turn._("Last 24 hours: {day}", day=day),
        turn._("Seconds a badge: portrait {draw:.1f}, banner {banner:.1f}, sending {send:.1f}",
               draw=totals.draw_seconds, banner=totals.banner_seconds, send=totals.send_seconds),
        turn._("Cost: ${cost:.2f}", cost=totals.cost_usd),
    ]  # fmt: skip
    if people.fact(turn.connection, "paused"):
        lines.append(turn._("Drawing is paused: /resume"))
    turn.say("\n".join(lines))


def pause(turn: Turn) -> None:
    """Draw nothing new until /resume; badges are still accepted."""
    people.set_fact(turn.connection, "paused", "yes")
    turn.outcome.queue_changed = True
    turn.say(turn._("Paused. What is being drawn is finished, the rest waits. To go on: /resume"))


def resume(turn: Turn) -> None:
    """Draw again."""
    people.set_fact(turn.connection, "paused", "")
    turn.outcome.queue_changed = True
    turn.say(turn._("Drawing again."))


def ban(turn: Turn) -> None:
    """`/ban 123`: that person is no longer answered, and what they wait for is canceled."""
    _set_banned(turn, True)


def unban(turn: Turn) -> None:
    """`/unban 123`: takes a ban back."""
    _set_banned(turn, False)


def _set_banned(turn: Turn, banned: bool) -> None:
    number = turn.event.text.strip()
    if not number.isascii() or not number.isdigit() or len(number) > 18:
        turn.say(turn._("Write the person's number after the command, for example: /ban 123456"))
        return
    if banned and int(number) in turn.context.settings.admins:
        turn.say(turn._("{number} is an admin (bot.admins) and cannot be banned.", number=number))
        return
    people.ban(turn.connection, int(number), banned)
    if banned:
        turn.outcome.canceled += jobs.cancel_person(turn.connection, int(number), turn.now)
    turn.say(
        turn._("Banned: {number}", number=number) if banned else turn._("No longer banned: {number}", number=number)
    )
