"""The flags of llama.cpp's own `llama-server` that stand for parameters.

One table for the engine that writes a command line and for the launcher that reads one. Standard library
only: the launcher starts in a process of its own, and its start is measured.
"""

from collections.abc import Mapping
from dataclasses import dataclass

SPECULATION_TYPES = (
    "none", "draft-simple", "draft-eagle3", "draft-mtp", "ngram-simple", "ngram-map-k", "ngram-map-k4v",
    "ngram-mod", "ngram-cache",
)  # fmt: skip
# Where llama-server's word is no plain name.
_SPELLINGS = {"mmap_mlock": "mmap+mlock", "direct_io": "dio"}


@dataclass(frozen=True)
class Flag:
    """One parameter: its flags, and the attribute of xllamacpp's CommonParams that it sets.

    `kind` is int, float, bool (`--x` and `--no-x`), switch (`--x on` and `--x off`), text, or one that the
    launcher turns into the wheel's own type. `attribute` is None where the wheel has none.
    """

    parameter: str
    short: str
    long: str
    attribute: str | None
    kind: str = "int"

    def arguments(self, value: object) -> tuple[str, ...]:
        """Return the command line arguments for `value`."""
        if self.kind == "bool":
            return (self.long if value else self.negative,)
        if self.kind == "switch":
            return (self.long, "on" if value else "off")
        return (self.long, _SPELLINGS.get(str(value), str(value)))

    @property
    def spellings(self) -> tuple[str, ...]:
        """Every way to write the flag."""
        written = (self.short, self.long, *((self.negative,) if self.kind == "bool" else ()))
        return tuple(spelling for spelling in written if spelling)

    @property
    def negative(self) -> str:
        """The flag that switches a boolean off."""
        return f"--no-{self.long.removeprefix('--')}"


_LOAD = (
    Flag("n_ctx", "-c", "--ctx-size", "n_ctx"),
    Flag("n_parallel", "-np", "--parallel", "n_parallel"),
    Flag("n_batch", "-b", "--batch-size", "n_batch"),
    Flag("n_ubatch", "-ub", "--ubatch-size", "n_ubatch"),
    Flag("threads", "-t", "--threads", "cpuparams.n_threads"),
    Flag("threads_batch", "-tb", "--threads-batch", "cpuparams_batch.n_threads"),
    Flag("n_gpu_layers", "-ngl", "--n-gpu-layers", "n_gpu_layers"),
    Flag("cache_ram_mib", "-cram", "--cache-ram", "cache_ram_mib"),
    Flag("cache_reuse", "", "--cache-reuse", "n_cache_reuse"),
    Flag("cont_batching", "-cb", "--cont-batching", "cont_batching", "bool"),
    Flag("cache_prompt", "", "--cache-prompt", "cache_prompt", "bool"),
    Flag("kv_unified", "-kvu", "--kv-unified", "kv_unified", "bool"),
    Flag("cache_type_k", "-ctk", "--cache-type-k", "cache_type_k", "cache_type"),
    Flag("cache_type_v", "-ctv", "--cache-type-v", "cache_type_v", "cache_type"),
    Flag("flash_attn", "-fa", "--flash-attn", "flash_attn_type", "flash_attention"),
    Flag("load_mode", "", "--load-mode", "load_mode", "load_mode"),
    Flag("context_shift", "", "--context-shift", "ctx_shift", "bool"),
    Flag("warmup", "", "--warmup", "warmup", "bool"),
    Flag("kv_offload", "-kvo", "--kv-offload", "no_kv_offload", "bool"),
    Flag("fit", "-fit", "--fit", "fit_params", "switch"),
    Flag("split_mode", "-sm", "--split-mode", "split_mode", "split_mode"),
    Flag("tensor_split", "-ts", "--tensor-split", "tensor_split", "proportions"),
    Flag("main_gpu", "-mg", "--main-gpu", "main_gpu"),
    Flag("n_cpu_moe", "-ncmoe", "--n-cpu-moe", "tensor_buft_overrides", "layers_of_experts"),
    Flag("override_tensor", "-ot", "--override-tensor", "tensor_buft_overrides", "overrides"),
    Flag("spec_type", "", "--spec-type", "speculative.types", "speculation"),
    Flag("spec_draft_model", "-md", "--spec-draft-model", "speculative.draft.mparams.path", "text"),
    Flag("spec_draft_n_max", "", "--spec-draft-n-max", "speculative.draft.n_max"),
    Flag("spec_draft_n_min", "", "--spec-draft-n-min", "speculative.draft.n_min"),
    Flag("spec_draft_p_min", "", "--spec-draft-p-min", "speculative.draft.p_min", "float"),
    Flag("spec_ngram_simple_size_n", "", "--spec-ngram-simple-size-n", "speculative.ngram_simple.size_n"),
    Flag("spec_ngram_simple_size_m", "", "--spec-ngram-simple-size-m", "speculative.ngram_simple.size_m"),
)
_SAMPLING = (
    Flag("temperature", "", "--temp", "sampling.temp", "float"),
    Flag("top_k", "", "--top-k", "sampling.top_k"),
    Flag("top_p", "", "--top-p", "sampling.top_p", "float"),
    Flag("min_p", "", "--min-p", "sampling.min_p", "float"),
    Flag("typical_p", "", "--typical", "sampling.typ_p", "float"),
    Flag("top_n_sigma", "", "--top-n-sigma", None, "float"),
    Flag("dynatemp_range", "", "--dynatemp-range", "sampling.dynatemp_range", "float"),
    Flag("dynatemp_exponent", "", "--dynatemp-exp", "sampling.dynatemp_exponent", "float"),
    Flag("xtc_probability", "", "--xtc-probability", "sampling.xtc_probability", "float"),
    Flag("xtc_threshold", "", "--xtc-threshold", "sampling.xtc_threshold", "float"),
    Flag("repeat_penalty", "", "--repeat-penalty", "sampling.penalty_repeat", "float"),
    Flag("repeat_last_n", "", "--repeat-last-n", "sampling.penalty_last_n"),
    Flag("presence_penalty", "", "--presence-penalty", "sampling.penalty_present", "float"),
    Flag("frequency_penalty", "", "--frequency-penalty", "sampling.penalty_freq", "float"),
    Flag("dry_multiplier", "", "--dry-multiplier", "sampling.dry_multiplier", "float"),
    Flag("dry_base", "", "--dry-base", "sampling.dry_base", "float"),
    Flag("dry_allowed_length", "", "--dry-allowed-length", "sampling.dry_allowed_length"),
    Flag("seed", "-s", "--seed", "sampling.seed"),
)

LOAD_FLAGS: Mapping[str, Flag] = {flag.parameter: flag for flag in _LOAD}
SAMPLING_FLAGS: Mapping[str, Flag] = {flag.parameter: flag for flag in _SAMPLING}


def other_names() -> dict[str, str]:
    """Return what `llama-server` calls parameters in its flags, by full name, to the full name here."""
    return {
        f"{group}.{flag.long.removeprefix('--').replace('-', '_')}": f"{group}.{flag.parameter}"
        for group, flags in (("engine", _LOAD), ("sampling", _SAMPLING))
        for flag in flags
    }
