"""What is searched when a manifest names a purpose instead of a space."""

import pytest

from llmopt_core.engines.llamacpp import LLAMACPP
from llmopt_core.engines.openai import OPENAI
from llmopt_core.search.building import build_space
from llmopt_core.search.presets import preset_space

PRESETS = ("balanced", "accuracy", "creativity", "speed")


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_is_a_space_of_llamacpp(preset):
    """Each value of a preset is one that the engine takes."""
    assert build_space(preset_space(preset, LLAMACPP, {}), LLAMACPP).parameters


def test_what_the_manifest_fixes_is_not_searched():
    """A fixed parameter leaves the space, and with it what depended on it."""
    space = preset_space("balanced", LLAMACPP, {"engine.flash_attn": "off", "sampling.top_p": 0.9})
    names = [name for name, _ in space.all_parameters()]
    assert "engine.n_parallel" in names
    assert not {"engine.flash_attn", "engine.cache_type_v", "sampling.top_p"} & set(names)


def test_what_an_engine_lacks_is_not_searched():
    """An endpoint has no load-time parameters: only sampling and prompt remain."""
    names = [name for name, _ in preset_space("balanced", OPENAI, {}).all_parameters()]
    assert names == ["sampling.temperature", "sampling.top_p", "prompt.few_shot"]
    assert not any(preset_space("speed", OPENAI, {}).all_parameters())
