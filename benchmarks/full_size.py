"""FLUX.2 klein 4B at its true size without a card, through the real path: `python -m benchmarks.full_size`.

Random weights are written to disk once, as sharded safetensors like a download (16 GB, `--folder`); then, in a process
of its own: loaded, a LoRA merged, a prompt encoded, four steps at 512 and one at 1024, decoded in tiles, the banner
drawn. Prints seconds and main memory: anonymous pages, which nobody can take back, and all resident pages, which count
the weight files' own. `--tiny` does the same with a small model, to try the program.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

from inference.models.profiles import Profile, load_profile

PROFILE = "flux2-klein-4b"


def profile_at(folder: Path, side: int) -> Profile:
    """klein from `folder`, with the size of the full model in the plan's eyes."""
    update = {"folder": str(folder), "repo": "", "width": side, "height": side, "lora": ""}
    return load_profile(PROFILE).model_copy(update=update)


def make_weights(folder: Path, *, tiny: bool) -> None:
    """A repository's folder with random weights, a part at a time."""
    import diffusers
    import torch
    from transformers import Qwen3Config, Qwen3ForCausalLM

    from benchmarks.gpu.models import random_pipe
    from tests.tiny_flux import make_tiny_flux2, qwen_tokenizer

    if tiny:
        make_tiny_flux2(folder)
        return
    pipe = random_pipe(load_profile(PROFILE), "cpu", "cpu", tiny=False)
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.bfloat16)
    encoder = Qwen3ForCausalLM(Qwen3Config(
        hidden_size=2560, intermediate_size=9728, num_hidden_layers=36, num_attention_heads=32, num_key_value_heads=8,
        head_dim=128, vocab_size=151936, tie_word_embeddings=True,
    ))  # fmt: skip
    torch.set_default_dtype(before)
    whole = diffusers.Flux2KleinPipeline(
        scheduler=pipe.scheduler, vae=pipe.vae, transformer=pipe.transformer, text_encoder=encoder,
        tokenizer=qwen_tokenizer(), is_distilled=True,
    )  # fmt: skip
    whole.save_pretrained(folder, max_shard_size="2GB")


class Memory:
    """The most that this process held, looked at ten times a second."""

    def __init__(self) -> None:
        self.anonymous = self.resident = 0
        threading.Thread(target=self._look, daemon=True).start()

    def _look(self) -> None:
        while True:
            fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
            self.anonymous = max(self.anonymous, int(fields["RssAnon"].split()[0]) * 1024)
            self.resident = max(self.resident, int(fields["VmRSS"].split()[0]) * 1024)
            time.sleep(0.1)


def draw(folder: Path, *, tiny: bool) -> dict[str, Any]:
    """Everything after the download, in this process."""
    memory = Memory()
    import torch
    from safetensors.torch import save_file

    from benchmarks.gpu.models import random_lora
    from inference.local.loading import load
    from inference.local.plan import plan
    from inference.lora.source import find_lora
    from inference.models.choice import family_of
    from inference.models.hardware import find_card
    from overlay import draw_banner

    found: dict[str, Any] = {}
    clock = time.perf_counter()

    def lap(name: str) -> None:
        nonlocal clock
        found[name] = time.perf_counter() - clock
        clock = time.perf_counter()

    def told(side: int, _pipe: Any, step: int, _time: Any, values: dict[str, Any]) -> dict[str, Any]:
        lap(f"step {step + 1} at {side}")
        return values

    profile = profile_at(folder, 64 if tiny else 512)
    made = plan(profile, find_card("cpu"))
    with tempfile.TemporaryDirectory() as aside:
        import re

        import diffusers

        config = diffusers.Flux2Transformer2DModel.load_config(folder, subfolder="transformer")
        with torch.device("meta"):
            empty = diffusers.Flux2Transformer2DModel.from_config(config)
        names = [n for n, m in empty.named_modules()
                 if isinstance(m, torch.nn.Linear) and re.fullmatch(family_of(profile).targets, n)]  # fmt: skip
        tensors = {}
        for part in random_lora(empty, names):
            tensors[f"transformer.{part.layer}.lora_A.weight"] = part.down.bfloat16()
            tensors[f"transformer.{part.layer}.lora_B.weight"] = (part.up * 1e-4).bfloat16()
        file = Path(aside) / "lora.safetensors"
        save_file(tensors, file)
        clock = time.perf_counter()
        loaded = load(profile, made, find_lora(str(file)), 1.0)
    lap("load and merge")
    text = loaded.encoders.encode("a samurai with a telescope")
    lap("encode")
    texts = family_of(profile).text_arguments(text, None)
    for side, steps in ((64, 2),) if tiny else ((512, 4), (1024, 1)):
        image = loaded.pipe(
            **texts, width=side, height=side, num_inference_steps=steps, guidance_scale=profile.guidance,
            generator=torch.Generator().manual_seed(0), max_sequence_length=profile.max_sequence_length,
            callback_on_step_end=partial(told, side),
        ).images[0]  # fmt: skip
        lap(f"decode at {side}")
    draw_banner(image, "FULL SIZE")
    lap("banner")
    time.sleep(0.2)
    return found | {"anonymous": memory.anonymous, "resident": memory.resident, "plan": made.line()}


def main(argv: list[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.full_size", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--folder", type=Path, metavar="DIR", help="where the weights are, or are to be written")
    parser.add_argument("--tiny", action="store_true", help="a small model: tries the program")
    parser.add_argument("--draw", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.draw:
        # Should main memory not suffice, this process is the one to go.
        Path("/proc/self/oom_score_adj").write_text("1000")
        print(json.dumps(draw(args.folder, tiny=args.tiny)))
        return 0
    with tempfile.TemporaryDirectory() as aside:
        folder = (args.folder or Path(aside) / "klein").resolve()
        if not (folder / "model_index.json").exists():
            make_weights(folder, tiny=args.tiny)
        command = [sys.executable, "-m", "benchmarks.full_size", "--draw", "--folder", str(folder)]
        done = subprocess.run([*command, *(["--tiny"] if args.tiny else [])], stdout=subprocess.PIPE, check=False)
    if done.returncode:
        print(f"error: the drawing process ended with {done.returncode}", file=sys.stderr)
        return 1
    found = json.loads(done.stdout.splitlines()[-1])
    print(f"{os.cpu_count()} cores; {found.pop('plan')}\n")
    memory = {name: found.pop(name) for name in ("anonymous", "resident")}
    print("| FLUX.2 klein 4B without a card | s |\n|---|---:|")
    for name, seconds in found.items():
        print(f"| {name} | {seconds:.1f} |")
    print("\n| main memory at the peak | GB |\n|---|---:|")
    for name, size in memory.items():
        print(f"| {name} pages | {size / 1e9:.1f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
