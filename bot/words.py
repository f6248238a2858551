"""Texts that are composed of several messages: the status message, durations, captions, failures."""

from math import ceil

from bot.store.awards import Award, Listed
from bot.store.jobs import Job
from bot.store.members import Known
from bot.texts import Texts
from configs.sections.bot import WelcomeSettings

_BAR = 12  # characters, chosen by hand: a much longer bar would wrap on narrow screens


def status_text(
    _: Texts,
    *,
    place: int = 0,
    seconds: float = 0.0,
    done: int = 0,
    steps: int = 0,
    stage: int = 1,
    paused: bool = False,
    restarted: bool = False,
) -> str:
    """The status message: the stage, then the queue position and expected wait, or the denoising steps done."""
    if stage == 2:
        return _("⏳ Adding the text... (2/2)")
    lines = [_("⏳ Drawing... (1/2)")]
    if restarted:
        lines.append(_("I was restarted; your badge kept its place."))
    if paused:
        lines.append(_("Drawing is paused for now; your badge stays in the queue."))
    elif steps:
        filled = round(_BAR * done / steps)
        lines.append(f"{'▰' * filled}{'▱' * (_BAR - filled)} {done}/{steps}")
    elif place:
        lines.append(_("Ahead of you: {n}, about {wait}", n=place, wait=span(_, seconds)))
    return "\n".join(lines)


def span(_: Texts, seconds: float) -> str:
    """A rounded duration: 40 s, 3 min, 5 h. Rounded up, so that nobody tries again too early."""
    if seconds < 90:
        return _("{n} s", n=max(5, ceil(seconds / 5) * 5))
    if seconds < 90 * 60:
        return _("{n} min", n=ceil(seconds / 60))
    return _("{n} h", n=ceil(seconds / 3600))


def style_name(_: Texts, style: str) -> str:
    """A banner style's label on a button; a style without a translation keeps its name."""
    names = {
        "arc": _("arc"), "auto": _("automatic"), "plate": _("plate"), "ribbon": _("ribbon"), "round": _("round"),
        "flat": _("flat"), "pin": _("enamel pin"),
    }  # fmt: skip
    return names.get(style, style)


def state_name(_: Texts, state: str) -> str:
    """A job's `state` as /stats shows it."""
    names = {
        "waiting": _("waiting"), "drawing": _("being drawn"), "drawn": _("drawn"), "delivered": _("delivered"),
        "reviewing": _("being reviewed"), "offered": _("to choose from"),
        "failed": _("failed"), "canceled": _("canceled"),
    }  # fmt: skip
    return names.get(state, state)


def badge_words(job: Job) -> str:
    """A badge as "object | banner text"."""
    return f"{job.object} | {' '.join(job.text.split())}"


def person_words(person: Known) -> str:
    """A person as admins see them: name, @username and user ID, as far as known."""
    parts = (person.name, f"@{person.username}" if person.username else "", str(person.user_id))
    return " ".join(part for part in parts if part)


def caption(_: Texts) -> str:
    """The caption of a badge."""
    return _("🎊 Your badge is ready!") + "\n" + _("/create for another one")


def award_caption(_: Texts, award: Award, job: Job) -> str:
    """The caption of an award: who received it, who gave it, and why."""
    lines = [_("🏅 {name}: {badge}", name=award.name, badge=badge_words(job))]
    if award.giver_name:
        lines.append(_("Awarded by {giver}", giver=award.giver_name))
    return "\n".join([*lines, *([award.why] if award.why else [])])


def award_line(_: Texts, award: Listed) -> str:
    """An award in the list of /awards."""
    line = _("🏅 {name}: {badge}", name=award.name, badge=f"{award.object} | {' '.join(award.text.split())}")
    by = _("Awarded by {giver}", giver=award.giver_name) if award.giver_name else ""
    said = ". ".join(words for words in (by, award.why) if words)
    return f"{line} ({said})" if said else line


def failure(_: Texts, reason: str) -> str:
    """What went wrong and what to do about it; `reason` is a job's `error`."""
    sentences = {
        "words": _("😕 That could not be drawn. Change the words and try again: /create"),
        "unavailable": _("😕 Drawing is not available right now. Try again in a few minutes."),
        "operator": _(
            "😕 I cannot draw until a problem on my side is fixed; it has been reported. Your text is fine:"
            " try again later."
        ),
        "refused": _("🙏 The admins did not approve this badge. Try other words: /create"),
        "picture": _("🙏 The picture filter rejected this picture. Try other words: /create"),
        "blank": _("😕 The picture came out blank. Your words are not the cause; the problem has been reported."),
        "photos": _("😕 This chat does not allow photos. Get your badge as a file, or write to me in private."),
        "sending": _("😕 Your badge is ready, but Telegram does not accept the picture here. Get it as a file:"),
    }
    other = _("😕 Something went wrong while I was drawing. It was not your fault: please try again.")
    return sentences.get(reason, other)


def things_made(_: Texts, settings: WelcomeSettings) -> str:
    """What this bot makes: `bot.welcome.name`, or the default."""
    return (settings.name_ru if _.language == "ru" else settings.name) or _("samurai badges")


def greeting(_: Texts, settings: WelcomeSettings) -> str:
    """The caption of the example badge: `bot.welcome.sentence`, or the default."""
    own = settings.sentence_ru if _.language == "ru" else settings.sentence
    return own or _(
        "👋 I make {things}: you say what the character holds and what the banner says. Here is one.",
        things=things_made(_, settings),
    )
