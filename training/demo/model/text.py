"""The demo's two text encoders and their tokenizers, trained on nothing but the illustrator's captions.

A small T5 encoder and a small CLIP text model learn to tell, from a caption, the character, the thing, the outfit
and the background that it names, and (so that an unknown word in front, a LoRA's trigger, stays visible) which
tokens it has. They are then frozen; the transformer is trained on their hidden states, as in FLUX: T5's for the
tokens, CLIP's pooled.
"""

import json
import logging
import math
import random
import re
from collections import Counter
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer, T5Config, T5EncoderModel, T5Tokenizer

from training.demo.drawing.captions import caption_for
from training.demo.drawing.characters import CHARACTERS
from training.demo.drawing.look import Variation
from training.demo.drawing.things import THINGS
from training.demo.model.loop import Schedule, low_precision, train
from training.demo.model.store import Store
from training.demo.model.stream import LABELS, NAMES, OBJECTS, T5_LENGTH, VARIANTS

log = logging.getLogger(__name__)
WIDTH, LAYERS, HEADS = 128, 2, 4
T5_WORDS, CLIP_VOCAB = 1600, 2400


_TRIGGER = re.compile(r"^[a-z_]+, (?=.*,)")


def random_caption(rng: random.Random) -> str:
    """A caption of any pair."""
    who, what = CHARACTERS[rng.choice(NAMES)], THINGS[rng.choice(OBJECTS)]
    return caption_for(rng, who, what, Variation.sample(rng, who, what)).text


def unigram_pieces(texts: list[str]) -> list[tuple[str, float]]:
    """A unigram vocabulary with log probabilities: the captions' words whole; letters and pairs of them for the rest.

    Made by counting, since the EM trainer spends so small a vocabulary on pieces of rare words and splits common ones.
    """
    words = Counter(word for text in texts for word in re.findall(r"[^\s,]+", text))
    total = sum(words.values())
    pieces: dict[str, float] = {"<pad>": 0.0, "</s>": 0.0, "<unk>": 0.0, ",": -2.0, "\u2581": -6.0}
    for word, times in words.most_common(T5_WORDS):
        pieces["\u2581" + word] = math.log(times / total)
    # pragma: allowlist nextline secret
    letters = "abcdefghijklmnopqrstuvwxyz_"
    for first in letters:
        for second in letters:
            pieces.setdefault(first + second, -11.0)
    for code in range(33, 127):
        pieces.setdefault(chr(code), -10.0)
    return list(pieces.items())


def build_tokenizers(seed: int = 5, count: int = 60000) -> tuple[CLIPTokenizer, T5Tokenizer]:
    """Both tokenizers, trained on `count` captions."""
    rng = random.Random(seed)
    texts = [_TRIGGER.sub("", random_caption(rng)) for _ in range(count)]

    t5 = T5Tokenizer(vocab=unigram_pieces(texts), extra_ids=0, additional_special_tokens=[], model_max_length=T5_LENGTH)

    blank = CLIPTokenizer()
    bpe = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    bpe.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    bpe.pre_tokenizer = blank.backend_tokenizer.pre_tokenizer
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    bpe.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=CLIP_VOCAB - 258, initial_alphabet=alphabet, end_of_word_suffix="</w>", show_progress=False
        ),
    )
    model = json.loads(bpe.to_str())["model"]
    merges: Any = [tuple(m) if isinstance(m, list) else tuple(m.split(" ")) for m in model["merges"]]
    # Numbered here, since the trainer numbers single letters in another order each time.
    tokens = [*alphabet, *(byte + "</w>" for byte in alphabet), *("".join(m) for m in merges)]
    vocab = {token: i for i, token in enumerate([*dict.fromkeys(tokens), "<|startoftext|>", "<|endoftext|>"])}
    clip = CLIPTokenizer(vocab=vocab, merges=merges, model_max_length=77)
    return clip, t5


def tokenizers_of(work: Path) -> tuple[CLIPTokenizer, T5Tokenizer]:
    """The tokenizers of this work folder, built first if they are not there yet: weights go with their vocabulary."""
    folder = work / "tokenizers"
    if not folder.exists():
        clip, t5 = build_tokenizers()
        aside = work / "tokenizers.part"
        clip.save_pretrained(aside / "clip")
        t5.save_pretrained(aside / "t5")
        aside.rename(folder)
    return CLIPTokenizer.from_pretrained(folder / "clip"), T5Tokenizer.from_pretrained(folder / "t5")


def build_encoders(clip_tokenizer: CLIPTokenizer, t5_tokenizer: T5Tokenizer) -> tuple[CLIPTextModel, T5EncoderModel]:
    """Untrained encoders of the demo's shape."""
    torch.manual_seed(4)
    clip = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(clip_tokenizer),
            hidden_size=WIDTH,
            intermediate_size=2 * WIDTH,
            num_hidden_layers=LAYERS,
            num_attention_heads=HEADS,
            max_position_embeddings=77,
            projection_dim=WIDTH,
            attention_dropout=0.0,
            bos_token_id=clip_tokenizer.bos_token_id,
            eos_token_id=clip_tokenizer.eos_token_id,
            pad_token_id=clip_tokenizer.pad_token_id,
        )
    )
    t5 = T5EncoderModel(
        T5Config(
            vocab_size=len(t5_tokenizer),
            d_model=WIDTH,
            d_kv=WIDTH // HEADS,
            d_ff=2 * WIDTH,
            num_layers=LAYERS,
            num_heads=HEADS,
            dropout_rate=0.0,
            feed_forward_proj="gated-gelu",
            is_encoder_decoder=False,
            use_cache=False,
        )
    )
    return clip, t5


class TextParts(nn.Module):
    """Both encoders and the heads that train them."""

    def __init__(self, clip: CLIPTextModel, t5: T5EncoderModel) -> None:
        super().__init__()
        self.clip, self.t5 = clip, t5
        self.t5_heads = nn.ModuleList(nn.Linear(WIDTH, n) for n in LABELS)
        self.token_heads = nn.ModuleList(nn.Linear(WIDTH, n) for n in LABELS[:3])
        self.clip_heads = nn.ModuleList(nn.Linear(WIDTH, n) for n in LABELS)
        self.t5_tokens = nn.Linear(WIDTH, t5.config.vocab_size)
        self.clip_words = nn.Linear(WIDTH, clip.config.vocab_size)


def fit(
    path: Path, store: Store, encoders: tuple[CLIPTextModel, T5EncoderModel], plan: Schedule, batch: int = 96
) -> None:
    """Trains the encoders in place on the store's captions, and freezes them."""
    where = store.device
    parts = TextParts(*encoders).to(where)
    optimizer = torch.optim.AdamW(parts.parameters(), 2e-3, betas=(0.9, 0.98), weight_decay=1e-2)

    def loss_of(step: int, generator: torch.Generator) -> dict[str, Tensor]:
        index = torch.randint(store.count, (batch,), generator=generator, device=where)
        variant = torch.randint(VARIANTS, (batch,), generator=generator, device=where)
        t5_ids, clip_ids, target = store.captions(index, variant)
        with low_precision(where):
            hidden = parts.t5(t5_ids)[0].float()
            pooled = parts.clip(clip_ids).pooler_output.float()
        mean = hidden.mean(1)
        loss = {
            "t5": sum(F.cross_entropy(head(mean), target[:, i]) for i, head in enumerate(parts.t5_heads)),
            # Every token, padding too, should know what the picture is about.
            "t5_each": 0.5
            * sum(
                F.cross_entropy(head(hidden).flatten(0, 1), target[:, i : i + 1].expand(-1, T5_LENGTH).flatten())
                for i, head in enumerate(parts.token_heads)
            ),
            "t5_tokens": 0.3 * F.cross_entropy(parts.t5_tokens(hidden).flatten(0, 1), t5_ids.flatten()),
            "clip": sum(F.cross_entropy(head(pooled), target[:, i]) for i, head in enumerate(parts.clip_heads)),
        }
        bag = torch.zeros(batch, parts.clip.config.vocab_size, device=where).scatter_(1, clip_ids, 1.0)
        loss["clip_words"] = 5 * F.binary_cross_entropy_with_logits(parts.clip_words(pooled), bag)
        return loss  # type: ignore[return-value]

    train(path, parts, [optimizer], loss_of, plan)
    parts.eval().requires_grad_(False)


@torch.no_grad()
def states(encoders: tuple[CLIPTextModel, T5EncoderModel], t5_ids: Tensor, clip_ids: Tensor) -> tuple[Tensor, Tensor]:
    """(N x length x WIDTH, N x WIDTH): what FluxPipeline.encode_prompt would give."""
    clip, t5 = encoders
    return t5(t5_ids)[0], clip(clip_ids).pooler_output
