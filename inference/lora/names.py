"""Every name that a LoRA file may use for a layer of a model, and the layer it means.

The table is built from the model's own layers, so a name is known exactly if its layer is there. Dialects:
diffusers/PEFT (`transformer.` or nothing in front), kohya (`lora_unet_` with underscores, `lora_te1_` for CLIP,
`lora_te3_` or `lora_te2_` for T5), ai-toolkit (diffusers names), XLabs (`processor.qkv_lora1`), and Black Forest
Labs' own names (`double_blocks.0.img_attn.qkv`, with or without `diffusion_model.`), whose fused layers cover several
layers of diffusers, one after another along the rows
(https://github.com/black-forest-labs/flux/blob/main/src/flux/model.py).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

Shapes = Mapping[str, Mapping[str, tuple[int, int]]]
"""Component (`transformer`, `text_encoder`, ...) to layer to (outputs, inputs) of its linear layers."""


@dataclass(frozen=True)
class LinearLayer:
    """One linear layer. `swapped`: the two halves of its rows are stored the other way round in the file."""

    component: str
    layer: str
    swapped: bool = False


_PEFT = "base_model.model."
_FRONTS = ("", "transformer.", "diffusion_model.", "model.diffusion_model.", _PEFT, _PEFT + "transformer.")

# Black Forest Labs' name to the layers of diffusers that it covers, for block N.
_DOUBLE = {
    "img_attn.qkv": ("attn.to_q", "attn.to_k", "attn.to_v"),
    "txt_attn.qkv": ("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"),
    "img_attn.proj": ("attn.to_out.0",),
    "txt_attn.proj": ("attn.to_add_out",),
    "img_mod.lin": ("norm1.linear",),
    "txt_mod.lin": ("norm1_context.linear",),
    "processor.qkv_lora1": ("attn.to_q", "attn.to_k", "attn.to_v"),
    "processor.qkv_lora2": ("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"),
    "processor.proj_lora1": ("attn.to_out.0",),
    "processor.proj_lora2": ("attn.to_add_out",),
}
_DOUBLE_MLP = {
    "flux1": {"mlp.0": "net.0.proj", "mlp.2": "net.2"},
    "flux2": {"mlp.0": "linear_in", "mlp.2": "linear_out"},
}
_SINGLE: dict[str, dict[str, tuple[str, ...]]] = {
    "flux1": {
        "linear1": ("attn.to_q", "attn.to_k", "attn.to_v", "proj_mlp"),
        "linear2": ("proj_out",),
        "modulation.lin": ("norm.linear",),
        "processor.qkv_lora": ("attn.to_q", "attn.to_k", "attn.to_v"),
        "processor.proj_lora": ("proj_out",),
    },
    "flux2": {"linear1": ("attn.to_qkv_mlp_proj",), "linear2": ("attn.to_out",)},
}
_OUTER = {
    "img_in": "x_embedder",
    "txt_in": "context_embedder",
    "final_layer.linear": "proj_out",
    "final_layer.adaLN_modulation.1": "norm_out.linear",
}
_OUTER_OF = {
    "flux1": {
        "time_in.in_layer": "time_text_embed.timestep_embedder.linear_1",
        "time_in.out_layer": "time_text_embed.timestep_embedder.linear_2",
        "vector_in.in_layer": "time_text_embed.text_embedder.linear_1",
        "vector_in.out_layer": "time_text_embed.text_embedder.linear_2",
        "guidance_in.in_layer": "time_text_embed.guidance_embedder.linear_1",
        "guidance_in.out_layer": "time_text_embed.guidance_embedder.linear_2",
    },
    "flux2": {
        "time_in.in_layer": "time_guidance_embed.timestep_embedder.linear_1",
        "time_in.out_layer": "time_guidance_embed.timestep_embedder.linear_2",
        "guidance_in.in_layer": "time_guidance_embed.guidance_embedder.linear_1",
        "guidance_in.out_layer": "time_guidance_embed.guidance_embedder.linear_2",
        "double_stream_modulation_img.lin": "double_stream_modulation_img.linear",
        "double_stream_modulation_txt.lin": "double_stream_modulation_txt.linear",
        "single_stream_modulation.lin": "single_stream_modulation.linear",
    },
}
_ENCODER_FRONTS = {
    "text_encoder": ("text_encoder.", "lora_te1_", "lora_te_", "text_encoders.clip_l.transformer."),
    "text_encoder_2": ("text_encoder_2.", "lora_te3_", "lora_te2_", "text_encoders.t5xxl.transformer."),
}


def name_table(shapes: Shapes) -> dict[str, tuple[LinearLayer, ...]]:
    """All known names. A name that covers several layers gives them in the order of the file's rows."""
    table: dict[str, tuple[LinearLayer, ...]] = {}
    layers = shapes.get("transformer", {})
    for layer in layers:
        _add(table, layer, (LinearLayer("transformer", layer),))
    for name, covered, swapped in _foreign_names(layers):
        if all(layer in layers for layer in covered):
            _add(table, name, tuple(LinearLayer("transformer", layer, swapped) for layer in covered))
    for component, fronts in _ENCODER_FRONTS.items():
        for layer in shapes.get(component, {}):
            for front in fronts:
                # Files name CLIP's layers below `text_model.`, which newer transformers leave out.
                for whole in {layer, "text_model." + layer.removeprefix("text_model.")}:
                    spelled = front + (whole.replace(".", "_") if front.endswith("_") else whole)
                    table[spelled] = (LinearLayer(component, layer),)
    return table


class Resolver:
    """Finds what a name of a file means: exactly, else in a dialect that differs in wrapping and separators alone.

    `torch.compile` and FSDP wrap modules (`_orig_mod.`), LyCORIS puts `lycoris_` in front, some trainers write dots
    where others write underscores. Such a name counts only where it can mean one thing.
    """

    def __init__(self, shapes: Shapes) -> None:
        self._table = name_table(shapes)
        self._loose: dict[str, set[tuple[LinearLayer, ...]]] = {}
        for name, places in self._table.items():
            self._loose.setdefault(_squashed(name), set()).add(places)

    def places(self, name: str) -> tuple[LinearLayer, ...] | None:
        """The layers that `name` covers, None where it means none, or not for certain one."""
        exact = self._table.get(name) or self._table.get(_WRAPPERS.sub("", name))
        if exact:
            return exact
        short = _squashed(_WRAPPERS.sub("", name))
        found: set[tuple[LinearLayer, ...]] = set()
        for candidate in {
            short,
            *(new + short.removeprefix(old) for old, new in _FRONTS_MORE if short.startswith(old)),
        }:
            found |= self._loose.get(candidate, set())
        return next(iter(found)) if len(found) == 1 else None


_WRAPPERS = re.compile(r"(?:^|(?<=[._]))(?:_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module|module)[._]")
_FRONTS_MORE = (
    ("lycoris_", ""),
    ("lycoris_", "lora_"),
    ("lycoris_", "lora_unet_"),
    ("unet_", ""),
    ("lora_unet_transformer_", ""),
    ("lora_transformer_transformer_", "transformer_"),
    ("lora_diffusion_model_", ""),
    ("base_model_model_", ""),
)


def _squashed(name: str) -> str:
    return re.sub(r"[._]+", "_", name).strip("_")


def for_encoder(name: str) -> bool:
    """Whether a tensor changes a text encoder, in any dialect."""
    return re.match(r"(?:lora|lycoris)_te\d?_|te\d_|text_encoders?_", _squashed(_WRAPPERS.sub("", name))) is not None


def _add(table: dict[str, tuple[LinearLayer, ...]], name: str, places: tuple[LinearLayer, ...]) -> None:
    for front in _FRONTS:
        table[front + name] = places
    for front in ("lora_unet_", "lora_transformer_"):
        table[front + name.replace(".", "_")] = places


def _z_image_names(layers: Mapping[str, tuple[int, int]]) -> list[tuple[str, tuple[str, ...], bool]]:
    """The names of Z-Image's own files, where they differ: queries, keys and values are one layer, and so on."""
    names: list[tuple[str, tuple[str, ...], bool]] = []
    for layer in layers:
        if layer.endswith(".attention.to_q"):
            front = layer.removesuffix("to_q")
            names.append((front + "qkv", (layer, front + "to_k", front + "to_v"), False))
            names.append((front + "out", (front + "to_out.0",), False))
        for theirs, ours in (("x_embedder", "all_x_embedder.2-1"), ("final_layer.", "all_final_layer.2-1.")):
            if layer.startswith(ours):
                names.append((theirs + layer.removeprefix(ours), (layer,), False))
    return names


def _foreign_names(layers: Mapping[str, tuple[int, int]]) -> list[tuple[str, tuple[str, ...], bool]]:
    if any(layer.startswith("noise_refiner.") for layer in layers):
        return _z_image_names(layers)
    family = "flux2" if any("to_qkv_mlp_proj" in layer for layer in layers) else "flux1"
    names: list[tuple[str, tuple[str, ...], bool]] = []
    for number in _blocks(layers, "transformer_blocks"):
        theirs, ours = f"double_blocks.{number}.", f"transformer_blocks.{number}."
        names += [(theirs + name, tuple(ours + layer for layer in covered), False) for name, covered in _DOUBLE.items()]
        for name, layer in _DOUBLE_MLP[family].items():
            names.append((f"{theirs}img_{name}", (f"{ours}ff.{layer}",), False))
            names.append((f"{theirs}txt_{name}", (f"{ours}ff_context.{layer}",), False))
    for number in _blocks(layers, "single_transformer_blocks"):
        theirs, ours = f"single_blocks.{number}.", f"single_transformer_blocks.{number}."
        for name, covered in _SINGLE[family].items():
            names.append((theirs + name, tuple(ours + layer for layer in covered), False))
    for name, layer in {**_OUTER, **_OUTER_OF[family]}.items():
        # The last modulation is (shift, scale) in Black Forest Labs' files, of both families, and (scale, shift) in
        # diffusers, whose converters of base weights swap the halves.
        names.append((name, (layer,), layer == "norm_out.linear"))
    return names


def _blocks(layers: Mapping[str, tuple[int, int]], kind: str) -> list[int]:
    return sorted({int(found[1]) for layer in layers if (found := re.match(rf"{kind}\.(\d+)\.", layer))})


_SIGNS = (
    ("Krea 2", r"text_?fusion|txtfusion|\bblocks[._]\d+[._]attn[._]w[qkvo]\b|[._]ff[._](gate|up|down)\b"),
    ("Krea 2", r"unet_blocks_\d+_attn_w[qkvo]\b"),
    (
        "FLUX.3",
        r"mode_blocks[._]\d|single_(transformer_)?blocks[._]\d+[._](ff[._]linear_|[qkv]_proj|attn_out|mlp_(in|out))"
        r"|ref_time_in|target_timestep_embedder",
    ),
    ("Qwen-Image", r"(img|txt)_mlp[._]net|transformer_blocks[._]\d+[._](img|txt)_mod[._]1"),
    ("Z-Image", r"\blayers[._]\d+[._](attention|feed_forward)[._]|adaLN_modulation[._]0"),
    ("FLUX.2", r"to_qkv_mlp_proj|ff(_context)?[._]linear_(in|out)|stream_modulation|time_guidance_embed"),
    ("FLUX.1", r"single_transformer_blocks[._]\d+[._](proj_mlp|norm[._]linear)|ff[._]net|norm1(_context)?[._]linear"),
    ("FLUX.1", r"single_blocks[._]\d+[._]modulation|(img|txt)_mod[._]lin|vector_in|processor\.(qkv|proj)_lora"),
    ("SDXL or SD 1.5", r"(down|up|mid|input|output)_blocks?[._]|mid_block"),
    ("SD3", r"joint_blocks|context_block"),
    ("Wan or another video model", r"cross_attn|self_attn\.(q|k|v|o)\b"),
)


def guess_model(names: list[str]) -> str:
    """The model that a LoRA with these tensor names was probably made for; "" where nothing tells."""
    joined = "\n".join(name for name in names if not for_encoder(name))
    return next((model for model, sign in _SIGNS if re.search(sign, joined)), "")
