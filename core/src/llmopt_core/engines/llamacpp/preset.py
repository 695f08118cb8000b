"""What of llama.cpp's server is worth searching."""

from llmopt_core.engines.presets import CREATIVE, Only, PresetTable, count, one_of, steps

LLAMACPP_PRESET = PresetTable(
    server=(
        count("n_parallel", 1, 8, log=True),
        one_of("n_batch", 512, 1024, 2048),
        one_of("n_ubatch", 128, 256, 512),
        one_of("flash_attn", "on", "off"),
        one_of("cache_type_k", "f16", "q8_0"),
        # llama.cpp refuses a quantised V cache without flash attention.
        one_of("cache_type_v", "f16", "q8_0", when=(Only("engine.flash_attn", ("on",)),)),
    ),
    creative=(*CREATIVE, steps("repeat_penalty", "1", "1.3", "0.05")),
)
