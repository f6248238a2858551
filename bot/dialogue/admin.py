"""The admins' commands about the queue: /stats, /pause, /resume. Those about people: `community.members`."""

from bot.dialogue.turn import Turn
from bot.store import people, queue
from bot.words import state_name


def stats(turn: Turn) -> None:
    """`/stats`: the queue, the last 24 hours, mean times and cost."""
    totals = queue.totals(turn.connection, turn.now)
    day = ", ".join(f"{state_name(turn._, state)} {count}" for state, count in sorted(totals.day.items())) or "0"
    lines = [
        turn._("Waiting: {waiting}, being drawn: {drawing}, people: {people}",
               waiting=totals.waiting, drawing=totals.drawing, people=totals.people),
        turn._("Last 24 hours: {day}", day=day),
        turn._("Seconds per badge: portrait {draw:.1f}, banner {banner:.1f}, sending {send:.1f}",
               draw=totals.draw_seconds, banner=totals.banner_seconds, send=totals.send_seconds),
        turn._("Cost: ${cost:.2f}", cost=totals.cost_usd),
    ]  # fmt: skip
    if people.fact(turn.connection, "paused"):
        lines.append(turn._("Drawing is paused. To continue: /resume"))
    turn.say("\n".join(lines))


def pause(turn: Turn) -> None:
    """`/pause`: start no drawing until /resume; badges are still accepted."""
    people.set_fact(turn.connection, "paused", "yes")
    turn.outcome.queue_changed = True
    turn.say(turn._("Paused. Badges being drawn will be finished, the others wait. To continue: /resume"))


def resume(turn: Turn) -> None:
    """`/resume`: start drawing again."""
    people.set_fact(turn.connection, "paused", "")
    turn.outcome.queue_changed = True
    turn.say(turn._("Drawing resumed."))
