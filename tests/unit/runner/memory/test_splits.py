"""How a model is split over GPUs: what is given, what is assumed, and what cannot be."""

from dataclasses import replace

import pytest
from fakes.model_configs import PUBLISHED, published
from fakes.small_llama import SHAPE

from llmopt_runner.memory.shapes import config_shape
from llmopt_runner.memory.splits import AskedSplit, Split, SplitImpossible, split_of

MODEL = replace(SHAPE, heads=8)  # with 4 heads of keys and values and 4 layers
MIXTURE = replace(MODEL, experts=6)


@pytest.mark.parametrize(
    ("asked", "gpus", "split"),
    [
        (AskedSplit(), None, Split()),
        (AskedSplit(), 8, Split(tensor=8)),
        (AskedSplit(pipeline=2), 8, Split(tensor=4, pipeline=2)),
        (AskedSplit(data=2), 8, Split(tensor=4, data=2)),
        (AskedSplit(pipeline=2, data=2), 8, Split(tensor=2, pipeline=2, data=2)),
        (AskedSplit(tensor=2, data=2), 8, Split(tensor=2, data=2)),
        (AskedSplit(tensor=2, pipeline=3, data=4), None, Split(2, 3, 4)),
        (AskedSplit(), 3, Split(pipeline=3)),  # three do not divide eight heads
        (AskedSplit(), 6, Split(tensor=2, pipeline=3)),
    ],
)
def test_what_is_not_given_is_assumed(asked, gpus, split):
    """One replica, layers over all GPUs that remain, in stages where heads do not allow that."""
    assert split_of(asked, MODEL, gpus) == split


@pytest.mark.parametrize(
    ("asked", "gpus", "named"),
    [
        (AskedSplit(4, 2, 2), 8, "--tensor-parallel 4 x --pipeline-parallel 2 x --data-parallel 2 needs 16"),
        (AskedSplit(data=3), 8, "--data-parallel 3 does not divide 8 GPUs"),
        (AskedSplit(pipeline=3), 8, "--pipeline-parallel 3 does not divide 8 GPUs"),
        (AskedSplit(tensor=3), 3, "--tensor-parallel 3 does not divide the model's 8 attention heads"),
        (AskedSplit(pipeline=1), 6, "--tensor-parallel 6 does not divide the model's 8 attention heads"),
        (AskedSplit(pipeline=5), 5, "--pipeline-parallel 5 is more than the model's 4 layers"),
        (AskedSplit(), 5, "--pipeline-parallel 5 is more than the model's 4 layers"),
        (
            AskedSplit(whole_experts=True),
            2,
            "--expert-parallel: the model's configuration and weights have no experts",
        ),
    ],
)
def test_what_cannot_be_names_the_option_and_its_value(asked, gpus, named):
    """More than there is, or what does not divide."""
    with pytest.raises(SplitImpossible, match=named):
        split_of(asked, MODEL, gpus)


def test_heads_of_keys_and_values_are_whole_too():
    """Each GPU holds as many as the others, or one of them several times."""
    shape = replace(MODEL, heads=24, cache=(replace(SHAPE.cache[0], heads=8),))
    assert split_of(AskedSplit(tensor=8), shape, 8).tensor == 8
    with pytest.raises(SplitImpossible, match=r"--tensor-parallel 12 .*8 heads of keys and values"):
        split_of(AskedSplit(tensor=12), shape, 12)
    assert split_of(AskedSplit(), shape, 12) == Split(tensor=4, pipeline=3)


def test_every_gpu_has_an_expert():
    """Over replicas too."""
    asked = AskedSplit(tensor=2, data=3, whole_experts=True)
    assert split_of(asked, MIXTURE, 6) == Split(2, 1, 3, whole_experts=True)
    with pytest.raises(SplitImpossible, match="6 experts over 8 GPUs"):
        split_of(AskedSplit(tensor=2, data=4, whole_experts=True), MIXTURE, 8)


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        (AskedSplit(tensor=2), "--tensor-parallel"),
        (AskedSplit(data=2), "--data-parallel"),
        (AskedSplit(whole_experts=True), "--expert-parallel"),
    ],
)
def test_layers_of_a_gguf_file_are_only_spread(asked, named):
    """As llama.cpp does it."""
    shape = replace(SHAPE, is_gguf=True)
    assert split_of(AskedSplit(), shape, 4) == Split(pipeline=4)
    assert split_of(AskedSplit(pipeline=2), shape, None) == Split(pipeline=2)
    with pytest.raises(SplitImpossible, match=named):
        split_of(asked, shape, 4)


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_models_can_be_split_over_two(name):
    """Each layer by heads, and all of them in stages."""
    shape = config_shape(published(name), ())
    assert split_of(AskedSplit(), shape, 2) == Split(tensor=2)
    assert split_of(AskedSplit(pipeline=4), shape, 8) == Split(tensor=2, pipeline=4)
