"""The part of `python -m bot --check` about drawing: the GPU, the memory plan, weights, Hub token, LoRA.

With Replicate none of it is needed; with Ray, GPU and weights are on the nodes.
"""

import json
import os
import shutil
import subprocess
import sysconfig
import tempfile
from importlib.util import find_spec
from pathlib import Path

from bot.operations.check_line import BAD, GOOD, WARNING, Check
from configs.printable import first_line
from configs.settings import Settings
from inference.choice import kind_here, open_generator
from inference.errors import OperatorNeeded, RenderError
from inference.hub import HubError, account, token_here
from inference.local.held import HeldModel
from inference.local.plan import CONTEXT, Plan
from inference.lora.family import TITLES, check_family
from inference.lora.file import LoraHeader
from inference.lora.names import guess_model
from inference.lora.source import find_lora
from inference.models.base_weights import is_on_disk, unavailable, way_in
from inference.models.hardware import GB, Card, cuda_available, driver_version, find_card, why_no_card
from inference.models.profiles import Profile, load_profile
from inference.models.room import gigabytes, planned, require_room
from inference.models.sizes import size_of


def drawing(settings: Settings) -> list[Check]:
    """The findings, in the order in which a first drawing would need them."""
    found = [_card(settings), _generator(settings)]
    kind = kind_here(settings)
    if kind == "replicate":
        own = [name for name, preset in settings.presets.items() if preset.lora not in (None, "none")]
        said = f"not needed with Replicate, where the LoRA of {', '.join(own)} is not used" if own else ""
        found.append(Check("weights", GOOD, "not needed with Replicate"))
        return [*found, Check("LoRA", WARNING if own else GOOD, said or "not needed with Replicate")]
    try:
        profile = load_profile("demo" if kind == "demo" else settings.generator.profile)
    except RenderError as error:
        return [*found, Check("weights", BAD, str(error), "see configs/profiles for the names")]
    if kind != "ray":
        found += _plan(settings, profile)
    return [*found, _hub(settings, profile), _weights(settings, profile), *_loras(settings, profile)]


def _card(settings: Settings) -> Check:
    """The GPU with its driver; if torch sees none, why."""
    driver = f"driver {driver_version() or 'unknown'}"
    if not cuda_available():
        why = why_no_card()
        needed = "FLUX needs one, or Replicate" if settings.generator.kind == "local" else ""
        if why:
            advice = "install a driver and a torch that fit each other, see https://pytorch.org/get-started"
            return Check("card", WARNING, f"{driver}, but no card for torch: {why}", advice)
        return Check("card", WARNING if needed else GOOD, "no CUDA card", needed)
    device = settings.local.device if settings.local.device.startswith("cuda") else "cuda"
    try:
        card = find_card(device)
    except (ValueError, RuntimeError) as error:
        return Check("card", BAD, first_line(error), "check local.device")
    free = card.memory if card.free is None else card.free
    found = f"{card.name}, {free / GB:.1f} of {card.memory / GB:.1f} GB free; {driver}"
    return Check("card", GOOD, found + (f", torch for CUDA {card.cuda}" if card.cuda else ""))


def _generator(settings: Settings) -> Check:
    try:
        with open_generator(settings) as generator:
            model = generator.model
    except RenderError as error:
        return Check("generator", BAD, str(error), "choose another: generator.kind = auto, local, replicate or demo")
    return Check("generator", GOOD, f"{model.generator}, profile {model.profile}")


def _plan(settings: Settings, profile: Profile) -> list[Check]:
    """How this machine would draw, how much memory that needs, and whether the libraries for it are installed."""
    held = HeldModel(
        profile, settings.local, lambda: (None, 1.0), data_dir=settings.data_dir, token="", on_stage=None, notice=""
    )
    try:
        made, card = held.plan, held.card
    except RenderError as error:
        return [Check("plan", BAD, str(error))]
    return [_memory(made, card), *_parts(made), _compiler(made)]


def _memory(made: Plan, card: Card) -> Check:
    needs = []
    if made.need:
        free = card.memory if card.free is None else min(card.memory, card.free + int(CONTEXT))  # `need` has a context
        needs.append(f"{made.need / GB:.1f} GB of the card ({free / GB:.1f} free)")
    if made.ram:
        free_here = f" ({card.ram / GB:.1f} free)" if card.ram is not None else ""
        needs.append(f"{made.ram / GB:.1f} GB of main memory{free_here}")
    found = f"{_profile_and_tier(made)} on {card.name}" + (f": needs {' and '.join(needs)}" if needs else "")
    if card.ram is not None and made.ram > card.ram:
        return Check("plan", WARNING, found, "close other programs, or take a smaller profile")
    return Check("plan", GOOD, found)


def _profile_and_tier(made: Plan) -> str:
    """Such as "flux-dev, small instead of fast"."""
    instead = f" instead of {made.wanted}" if made.tier != made.wanted else ""
    return f"{made.profile}, {made.label}{instead}"


def _parts(made: Plan) -> list[Check]:
    """The quantization library that the plan needs; no finding if it is installed or not needed."""
    library = {"plain": "", "nf4": "bitsandbytes"}.get(made.weights, "torchao")
    if not library or find_spec(library):
        return []
    return [Check("library", BAD, f"{made.weights} weights need {library}, which is missing", "pip install .[gpu]")]


def _compiler(made: Plan) -> Check:
    """Triton compiles a C file against Python's headers for each kernel, so try that here."""
    if not made.compiled:
        return Check("compiler", GOOD, "not needed here")
    compiler = os.environ.get("CC") or shutil.which("gcc") or shutil.which("clang")
    advice = "Debian: apt install gcc g++ python3-dev; without it drawing is slower"
    if not compiler:
        return Check("compiler", WARNING, "no C compiler", advice)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "probe.c"
        source.write_text("#include <Python.h>\n")
        command = [compiler, "-c", f"-I{sysconfig.get_path('include')}", str(source), "-o", f"{folder}/probe.o"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        except (OSError, subprocess.TimeoutExpired) as error:
            return Check("compiler", WARNING, f"{compiler} cannot be run: {type(error).__name__}", advice)
    if done.returncode:
        line = next((each for each in done.stderr.splitlines() if "error" in each), "no reason given")
        return Check("compiler", WARNING, f"{compiler} cannot compile: {line.strip()}", advice)
    return Check("compiler", GOOD, f"{compiler}, with Python's headers")


def _hub(settings: Settings, profile: Profile) -> Check:
    """The account of the Hugging Face token, if one is needed."""
    if is_on_disk(profile):
        return Check("Hub token", GOOD, "not needed: the weights are here")
    token = token_here(settings.secrets.hf_token.get_secret_value())
    if not token:
        return Check("Hub token", BAD if profile.gated else GOOD, "HF_TOKEN is not set", _needed(profile))
    try:
        return Check("Hub token", GOOD, f"the account {account(token)}")
    except HubError as error:
        advice = "make a new one at https://huggingface.co/settings/tokens" if error.status else "check the network"
        return Check("Hub token", BAD, str(error), advice)


def _needed(profile: Profile) -> str:
    return way_in(profile) if profile.gated else ""


def _weights(settings: Settings, profile: Profile) -> Check:
    """Whether all weights are on disk; if not, whether the rest can be downloaded and fits."""
    if profile.folder:
        there = is_on_disk(profile)
        advice = "" if there else "install the package again, with its data"
        return Check("weights", GOOD if there else BAD, f"{profile.title} in the package", advice)
    if is_on_disk(profile):
        return Check("weights", GOOD, f"{profile.repo} on disk")
    try:
        download = planned(profile, settings.secrets.hf_token.get_secret_value())
        require_room(profile, download)
    except HubError as error:
        return Check("weights", BAD, str(unavailable(profile, error)))
    except OperatorNeeded as error:
        return Check("weights", BAD, str(error))
    found = f"{profile.repo}: {gigabytes(download.missing)} of {gigabytes(download.total)} are not here"
    found += f", {gigabytes(download.free)} free in {download.cache}"
    advice = f"the first badge waits for them, or python -m inference.fetch {profile.name}"
    return Check("weights", WARNING, found, advice)


def _loras(settings: Settings, profile: Profile) -> list[Check]:
    """The LoRA of the main settings, and those of presets that have their own."""
    token = settings.secrets.hf_token.get_secret_value()
    found = [_lora("LoRA", "local.lora", settings.local.lora, profile, token)]
    for name, preset in settings.presets.items():
        if preset.lora is not None:
            found.append(_lora(f"LoRA of {name}", f"presets.{name}.lora", preset.lora, profile, token))
    return found


def _lora(what: str, key: str, name: str, profile: Profile, token: str) -> Check:
    if name == "none":
        return Check(what, GOOD, "none configured")
    if not name and profile.default_lora is None:
        return Check(what, WARNING, "none: portraits have no style", f"set {key}, or train one")
    try:
        lora = find_lora(name or str(profile.default_lora), token)
        header = lora.header()
        check_family(str(lora.path), header.metadata, profile.family)
    except RenderError as error:
        return Check(what, BAD, str(error), f"set {key} to a .safetensors file of this profile's family")
    found = f"{lora.name}, SHA-256 {lora.sha256[:12]}"
    doubt = _doubt(header, profile)
    advice = f"{profile.title} is {TITLES[profile.family]}: choose another LoRA, or another profile" if doubt else ""
    return Check(what, WARNING if doubt else GOOD, found + doubt, advice)


def _doubt(header: LoraHeader, profile: Profile) -> str:
    """Why a LoRA may not fit, by the names and shapes of its tensors; only loading shows for sure."""
    model = guess_model(list(header.tensors))
    if model and model != TITLES[profile.family]:
        return f", by its tensor names made for {model}"
    width = _width(profile)
    sides = {side for _kind, shape in header.tensors.values() for side in shape}
    if width in sides or any("lokr" in name for name in header.tensors):
        return ""
    return f", which has no layer of this model's width, {width}"


def _width(profile: Profile) -> int:
    """The hidden size of the profile's transformer."""
    size = size_of(profile)
    if size is not None:
        return size.width
    config = json.loads((Path(profile.source) / "transformer" / "config.json").read_text(encoding="utf-8"))
    return int(config["attention_head_dim"]) * int(config["num_attention_heads"])
