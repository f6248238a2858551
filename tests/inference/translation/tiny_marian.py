"""A Marian model of real classes that knows eight words: trained on the spot in seconds, saved as the Hub's are."""

import json
from pathlib import Path

PAIRS = {
    "катана": "katana", "зонт": "umbrella", "меч": "sword", "ботинок": "shoe", "дом": "house", "кот": "cat",
    "вдохновение": "inspiration", "лук": "onion",
}  # fmt: skip


def make_tiny_marian(folder: Path) -> Path:
    """`folder`, filled with a tokenizer and a model that turn the keys of PAIRS into their values."""
    import sentencepiece
    import torch
    from transformers import MarianConfig, MarianMTModel

    torch.manual_seed(0)
    torch.set_num_threads(1)
    lines = iter([*PAIRS, *PAIRS.values()] * 4)
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=lines, model_prefix=str(folder / "source"), vocab_size=60, model_type="char", minloglevel=2,
        character_coverage=1.0, hard_vocab_limit=False,
    )  # fmt: skip
    (folder / "source.spm").write_bytes((folder / "source.model").read_bytes())
    (folder / "target.spm").write_bytes((folder / "source.model").read_bytes())
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(folder / "source.spm"))
    words = [pieces.id_to_piece(index) for index in range(pieces.get_piece_size())]
    words = ["</s>", "<unk>", *[word for word in words if word not in ("<s>", "</s>", "<unk>")], "<pad>"]
    vocabulary = {word: index for index, word in enumerate(words)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    names = {"source_lang": "ru", "target_lang": "en", "tokenizer_class": "MarianTokenizer"}
    (folder / "tokenizer_config.json").write_text(json.dumps(names), encoding="utf-8")
    pad = vocabulary["<pad>"]
    model = MarianMTModel(
        MarianConfig(
            vocab_size=len(words), d_model=48, encoder_layers=1, decoder_layers=1, encoder_attention_heads=4,
            decoder_attention_heads=4, encoder_ffn_dim=96, decoder_ffn_dim=96, max_position_embeddings=64,
            pad_token_id=pad,
            eos_token_id=0, decoder_start_token_id=pad, forced_eos_token_id=0, dropout=0.0, scale_embedding=True,
        )
    )  # fmt: skip

    def rows(texts: list[str]) -> torch.Tensor:
        ids = [[vocabulary[piece] for piece in pieces.encode(text, out_type=str)] + [0] for text in texts]
        longest = max(map(len, ids))
        return torch.tensor([row + [pad] * (longest - len(row)) for row in ids])

    given, wanted = rows(list(PAIRS)), rows(list(PAIRS.values()))
    wanted[wanted == pad] = -100
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(150):
        loss = model(input_ids=given, attention_mask=(given != pad).long(), labels=wanted).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.save_pretrained(folder)
    return folder
