"""Writes a Llama model with random weights and a byte tokenizer: `make_small_model.py FOLDER CONFIGURATION`.

The configuration is JSON, in the words of config.json; the vocabulary's size is the tokenizer's.
"""

import json
import sys
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

_SPECIAL = ("<s>", "</s>")
_TEMPLATE = "{% for m in messages %}<s>{{ m['role'] }}: {{ m['content'] }}</s>{% endfor %}<s>assistant: "


def main(folder: Path, configuration: str) -> None:
    """Write model, configuration and tokenizer, the same ones every time."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: number for number, token in enumerate((*_SPECIAL, *letters))}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    beginning, end = _SPECIAL
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=beginning, eos_token=end, chat_template=_TEMPLATE
    ).save_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(vocab_size=len(vocabulary), **json.loads(configuration))
    LlamaForCausalLM(config).to(torch.bfloat16).save_pretrained(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
