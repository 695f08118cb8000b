"""What a configuration's class has, where config.json does not say it."""

import pytest
from fakes.model_configs import config

from llmopt_runner.models.class_defaults import class_defaults


def test_what_is_written_comes_before_the_class():
    """By whichever name a file has for it; null is written too."""
    known = class_defaults("mistral")
    assert (known["kv_heads"], known["window"]) == (8, 4096)
    assert config({"model_type": "mistral"}).number("kv_heads") == 8
    assert config({"model_type": "mistral", "num_key_value_heads": None}).number("kv_heads") == 0
    assert config({"model_type": "mistral", "n_layer": 3}).number("layers") == 3
    assert config({"model_type": "mistral", "sliding_window": None}).number("window") == 0


def test_what_a_class_derives_is_not_of_the_class():
    """A head's size follows from other sizes, unless the class has its own."""
    assert "head_dim" not in class_defaults("llama")
    assert "kv_heads" not in class_defaults("llama")
    assert class_defaults("gemma3_text")["head_dim"] == 256


def test_a_list_of_layers_comes_before_the_classes_number():
    """Nothing is cut off, or missed, because a class has another number of layers."""
    keys = {"model_type": "jamba", "layers_block_type": ["mamba", "attention"]}
    assert config(keys).number("layers") == 0


@pytest.mark.parametrize("model_type", ["", "nobody_knows_it"])
def test_a_class_that_is_not_known_has_nothing(model_type):
    """A missing size is then missing."""
    assert class_defaults(model_type) == {}
    assert config({"model_type": model_type}).number("heads") == 0
