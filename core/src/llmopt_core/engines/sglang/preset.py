"""What of SGLang's server is worth searching."""

from llmopt_core.engines.presets import CREATIVE, PresetTable, one_of, steps

SGLANG_PRESET = PresetTable(
    server=(
        one_of("max_running_requests", 16, 64, 256),
        one_of("chunked_prefill_size", 2048, 4096, 8192),
        one_of("schedule_policy", "fcfs", "lpm"),
        one_of("disable_radix_cache", "true", "false"),
    ),
    creative=(*CREATIVE, steps("repetition_penalty", "1", "1.3", "0.05")),
)
