"""Writes the weights of a GGUF file as safetensors into the layout of a Hugging Face hub cache.

Run as `convert_to_safetensors.py GGUF HF_HOME` by a Python that has transformers and gguf.
"""

import sys
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM

REPOSITORY = "HuggingFaceTB/SmolLM2-135M-Instruct"
# The hub names a revision by its commit; this one was never a commit of the hub.
REVISION = "0" * 40


def convert(gguf: Path, home: Path) -> None:
    """Write model, tokenizer and configuration of `gguf` as revision `main` of REPOSITORY."""
    repository = home / "hub" / f"models--{REPOSITORY.replace('/', '--')}"
    snapshot = repository / "snapshots" / REVISION
    loaded = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.bfloat16)
    # What was loaded from GGUF refuses to be saved: the same weights in a plain model do not.
    del loaded.config.quantization_config
    plain = LlamaForCausalLM(loaded.config).to(torch.bfloat16)
    plain.load_state_dict(loaded.state_dict())
    plain.save_pretrained(snapshot)
    AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name).save_pretrained(snapshot)
    (repository / "refs").mkdir(parents=True, exist_ok=True)
    (repository / "refs" / "main").write_text(REVISION)


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
