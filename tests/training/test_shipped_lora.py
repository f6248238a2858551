"""The LoRA that ships: the demo draws the aidbox samurai with it, and not without; its header says what it is."""

from configs import default_settings
from inference import BadgeRequest
from inference.badge import portrait_request, ready
from inference.local.generator import LocalGenerator
from inference.lora.card import read_card
from inference.models.profiles import load_profile
from training.evaluation.scorers import DemoScorer

HELD_OUT = ("telescope", "pizza", "camera", "trophy")


def test_the_demo_draws_the_aidbox_samurai_with_things_it_was_never_trained_on() -> None:
    settings = default_settings()
    profile = load_profile("demo")
    scorer = DemoScorer()
    seen = {}
    with LocalGenerator(profile, settings.local) as generator:
        for lora in ("with", "without"):
            if lora == "without":
                generator.switch_lora("none")
            asked = [
                ready(BadgeRequest(thing, "X", seed=1), generator.model, settings.banner, settings.translation)
                for thing in HELD_OUT
            ]
            images = [generator.generate(portrait_request(each, settings.prompt)).image for each in asked]
            look, right = scorer.has_look(images), scorer.holds(images, HELD_OUT, HELD_OUT)
            assert look is not None
            assert right is not None
            seen[lora] = sum(look), sum(right)
    assert seen["with"][0] == 4
    assert seen["with"][1] >= 3
    assert seen["without"][0] == 0


def test_its_header() -> None:
    path = load_profile("demo").default_lora
    assert path is not None
    assert path.stat().st_size < 600_000
    card = read_card(path)
    assert card is not None
    assert (card.trigger, card.base_model, card.family) == (default_settings().prompt.trigger, "demo", "flux1")
    assert card.recipe["strangers"]
