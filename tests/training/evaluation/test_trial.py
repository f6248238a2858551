"""What a trial asks for."""

from pathlib import Path

from configs.settings import default_settings
from inference import load_profile
from inference.local import LocalGenerator
from training.evaluation.trial import Case, draw


def test_a_lora_is_tried_on_what_it_was_taught_known_to_the_base_or_not(tmp_path: Path) -> None:
    """The demo's vocabulary holds for people's wishes; the captions of a training may name anything."""
    settings = default_settings()
    lora = load_profile("demo").default_lora
    assert lora is not None
    local = settings.local.model_copy(update={"steps": 1, "swap_loras": True})
    with LocalGenerator(load_profile("demo"), local) as generator:
        wanted = [Case("our mascot", 1, 1.0, True)]
        (drawn,) = draw(wanted, generator, lora, settings.prompt, settings.banner, tmp_path)
    assert drawn.case == wanted[0]
    assert (tmp_path / wanted[0].file).is_file()
