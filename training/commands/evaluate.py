"""Trying LoRAs: what is drawn and judged, and the pages and scores that are written."""

import argparse
import contextlib
import json
import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from configs.console import DONE, tell
from configs.sections.render import BannerSettings, PromptSettings
from configs.settings import Settings, load_settings
from inference.files import require_writable, write_atomically
from inference.local.generator import LocalGenerator
from inference.lora.card import LoraCard, read_card
from inference.models.profiles import PACKAGE, Profile, load_profile, profile_names
from training.dataset.captions import CaptionRule
from training.dataset.pictures import DataSet, read_data_set, upright
from training.errors import InvalidJob
from training.evaluation.comparison import Tried, comparison_page
from training.evaluation.page import evaluation_page
from training.evaluation.scorers import Scorer, open_scorer
from training.evaluation.scores import Scores, score
from training.evaluation.trial import WITHOUT, Case, Trial, cases, draw

SEEN = 3
"""Objects of the training pictures among those that are drawn, by hand: each costs a portrait a scale and seed."""
BADGE = 512
"""Side of the badges on the page, by hand; scored are the portraits below them, which it does not change."""
DEMO_PICTURES = PACKAGE / "training" / "demo" / "training_images"


@dataclass(frozen=True)
class Evaluation:
    """What is tried: the LoRA, on which base, against which pictures, with which prompt."""

    lora: Path
    card: LoraCard | None
    profile: Profile
    data: DataSet
    prompt: PromptSettings
    objects: list[tuple[str, bool]]


def run(args: argparse.Namespace) -> int:
    """Try the LoRAs; returns the exit code. Raises ConfigError, InvalidRequest, TrainingError and RenderError."""
    settings = load_settings(args.config)
    logging.getLogger("training").setLevel(logging.INFO)
    seeds = args.seeds or settings.training.test_seeds
    scales = _scales(args.scales) or list(settings.training.test_scales)
    plans = [make_plan(args, settings, lora) for lora in args.lora]
    scorer = args.scorer or settings.training.scorer
    judges = {name: open_scorer(scorer, name, _token(settings)) for name in {plan.profile.name for plan in plans}}
    require_writable(args.out)
    tried: list[Tried] = []
    with contextlib.ExitStack() as open_model:
        generator: LocalGenerator | None = None
        before: Evaluation | None = None
        known: list[Trial] = []
        for plan, name in zip(plans, names_of(args.lora), strict=True):
            if generator is None or before is None or before.profile != plan.profile:
                open_model.close()
                local = settings.local.model_copy(update={"lora": "none"})
                generator = open_model.enter_context(LocalGenerator(plan.profile, local, token=_token(settings)))
            if before is None or (before.profile, before.prompt) != (plan.profile, plan.prompt):
                known = []
            before = plan
            out = args.out / name if len(plans) > 1 else args.out
            wanted = cases(plan.objects, list(settings.training.strangers), seeds, scales)
            drawn = _draw(wanted, generator, plan, BannerSettings(style=settings.banner.style, size=BADGE), out, known)
            known = [each for each in drawn if each.case.scale == WITHOUT]
            scores = _judge(plan, drawn, judges[plan.profile.name])
            _write(out, plan, drawn, scores)
            tried.append(Tried(name, scores, drawn))
            for line in scores.verdict():
                tell(f"{name}: {line}" if len(plans) > 1 else line)
    if len(tried) > 1:
        write_atomically(args.out / "index.html", comparison_page(tried).encode())
    tell(f"judged by {tried[-1].scores.scorer}; look at {args.out / 'index.html'}")
    return DONE


def names_of(loras: Sequence[Path]) -> list[str]:
    """A short name for each file, all different: that of its folder where the file has the name of every training."""
    names: list[str] = []
    for path in loras:
        plain = (path.absolute().parent.name if path.stem == "lora" else path.stem) or "lora"
        name, number = plain, 2
        while name.casefold() in {each.casefold() for each in names} | {"images"}:
            name, number = f"{plain}-{number}", number + 1
        names.append(name)
    return names


def _draw(
    wanted: list[Case],
    generator: LocalGenerator,
    plan: Evaluation,
    banner: BannerSettings,
    out: Path,
    known: list[Trial],
) -> list[Trial]:
    drawn: list[Trial] = []
    with tqdm(total=len(wanted), desc="badges", file=sys.stderr, disable=not sys.stderr.isatty()) as bar:
        for each in draw(wanted, generator, plan.lora, plan.prompt, banner, out, known):
            drawn.append(each)
            bar.update()
    return drawn


def _judge(plan: Evaluation, drawn: list[Trial], scorer: Scorer) -> Scores:
    pictures = [upright(picture.path) for picture in plan.data.pictures if not picture.problem]
    candidates = sorted({thing for thing, _ in plan.objects} | {picture.thing for picture in plan.data.pictures})
    return score(drawn, pictures, scorer, str(plan.lora), plan.profile.name, candidates)


def make_plan(args: argparse.Namespace, settings: Settings, lora: Path) -> Evaluation:
    """What the command line and the LoRA's own header ask for. Raises InvalidJob or InvalidRequest."""
    card = read_card(lora)
    profile = load_profile(args.profile or _profile_of(card) or settings.generator.profile)
    trigger = card.trigger if card else settings.prompt.trigger
    prompt = settings.prompt.model_copy(update={"trigger": trigger})
    folder = args.data or (DEMO_PICTURES if profile.name == "demo" else Path("training_images"))
    data = read_data_set(folder, CaptionRule(trigger, prompt.base, prompt.style))
    if sum(not picture.problem for picture in data.pictures) < 2:
        raise InvalidJob(f"{folder} holds fewer than 2 usable pictures to compare with: name them with --data")
    trained = list(dict.fromkeys(picture.thing for picture in data.pictures))
    if args.objects:
        things = [thing.strip() for thing in args.objects.split(",") if thing.strip()]
    else:
        fresh = [thing for thing in settings.training.test_objects if thing not in trained]
        things = trained[:: max(1, len(trained) // SEEN)][:SEEN] + fresh
    return Evaluation(lora, card, profile, data, prompt, [(thing, thing in trained) for thing in things])


def _profile_of(card: LoraCard | None) -> str:
    """The profile that draws with what the LoRA was trained on; a training base leads to the model that it serves."""
    if card is None:
        return ""
    for name in profile_names():
        profile = load_profile(name)
        base = load_profile(profile.training_base) if profile.training_base else profile
        if card.base_model in (base.repo or base.name, base.name):
            return name
    return ""


def _scales(text: str | None) -> list[float]:
    if text is None:
        return []
    try:
        scales = sorted({float(part) for part in text.split(",")})
    except ValueError as error:
        raise InvalidJob(f"--scales {text!r}: write numbers such as 0.7,1.0") from error
    if not all(0 < scale <= 4 for scale in scales):
        raise InvalidJob(f"--scales {text!r}: scales lie above 0, at most 4")
    return scales


def _token(settings: Settings) -> str:
    return settings.secrets.hf_token.get_secret_value()


def _write(out: Path, plan: Evaluation, drawn: list[Trial], scores: Scores) -> None:
    samples = [picture for picture in plan.data.pictures if picture.thumbnail is not None][:8]
    write_atomically(out / "index.html", evaluation_page(scores, drawn, samples, plan.card).encode())
    text = json.dumps(scores.as_json(), indent=2, ensure_ascii=False)
    write_atomically(out / "scores.json", text.encode() + b"\n")
