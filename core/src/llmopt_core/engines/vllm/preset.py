"""What of vLLM's server is worth searching."""

from llmopt_core.engines.presets import CREATIVE, PresetTable, one_of, steps

VLLM_PRESET = PresetTable(
    server=(
        # Each of the first is below each of the second: a request needs a token in each step.
        one_of("max_num_seqs", 16, 64, 256),
        one_of("max_num_batched_tokens", 2048, 4096, 8192),
        one_of("enable_prefix_caching", "true", "false"),
    ),
    creative=(*CREATIVE, steps("repetition_penalty", "1", "1.3", "0.05")),
)
