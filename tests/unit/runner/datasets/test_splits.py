import hashlib
import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt_runner.datasets.arithmetic import arithmetic
from llmopt_runner.datasets.base import DatasetInvalid, Item
from llmopt_runner.datasets.draws import Draw
from llmopt_runner.datasets.korean_math import korean_math
from llmopt_runner.datasets.korean_qa import korean_qa
from llmopt_runner.datasets.listed import ListedDataset

_GENERATED = (arithmetic, korean_math, korean_qa)


def _listed(count, *, backwards=False):
    items = [Item(f"item-{number}", f"What is {number}?", str(number), "echo") for number in range(count)]
    return ListedDataset("numbers.jsonl", items[::-1] if backwards else items)


@given(st.sampled_from(_GENERATED), st.integers(1, 60), st.integers(0, 60), st.integers(0, 2**31 - 1))
def test_generated_parts_are_disjoint(dataset, search, held_out, seed):
    """No item of a built-in data set stands in two parts, by id or by question, and each part is whole."""
    split = dataset().split(search, held_out, seed)
    assert [len(part) for part in split] == [search, held_out, 32]
    for field in ("id", "question"):
        assert len({getattr(item, field) for part in split for item in part}) == search + held_out + 32


@given(st.integers(4, 80), st.integers(1, 30), st.integers(0, 30), st.integers(0, 2**31 - 1))
def test_listed_parts_are_disjoint_or_refused(count, search, held_out, seed):
    """A list gives disjoint parts, the rest as few-shot items; or says that it is too short."""
    dataset = _listed(count)
    if search + held_out > count:
        with pytest.raises(DatasetInvalid, match=f"add {search + held_out - count} items"):
            dataset.split(search, held_out, seed)
        return
    split = dataset.split(search, held_out, seed)
    assert [len(part) for part in split] == [search, held_out, min(32, count - search - held_out)]
    assert len({item.id for part in split for item in part}) == sum(map(len, split))


@given(st.integers(0, 2**31 - 1))
def test_order_of_a_file_does_not_matter(seed):
    """The same items in another order are split the same."""
    assert _listed(40).split(10, 10, seed) == _listed(40, backwards=True).split(10, 10, seed)


@given(st.sampled_from(_GENERATED), st.integers(1, 50), st.integers(0, 50), st.integers(0, 999))
def test_fewer_items_are_the_first_of_more(dataset, count, more, seed):
    """Asking for more items of a seed keeps those that there were."""
    assert dataset().items(count + more, seed)[:count] == dataset().items(count, seed)


def test_seeds_differ():
    """Another seed gives other items."""
    assert arithmetic().items(20, 0) != arithmetic().items(20, 1)
    assert _listed(40).items(20, 0) != _listed(40).items(20, 1)


def _digest(items):
    shown = [(item.id, item.question, item.answer, item.kind, item.choices) for item in items]
    return hashlib.sha256(repr(shown).encode()).hexdigest()[:12]


def test_items_are_pinned():
    """The items of a seed are the same in every process and in later releases: studies are continued."""
    digests = {dataset().name: _digest(dataset().items(200, 42)) for dataset in _GENERATED}
    assert digests == {
        "arithmetic": "04dd0541e5a8",
        "korean_math": "029d77b11b6c",
        "korean_qa": "e1ff1ccfb8b0",
    }


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_another_process_agrees(hash_seed):
    """A process with other string hashes splits a data set in the same way."""
    code = (
        "from llmopt_runner.datasets.korean_qa import korean_qa;"
        "print([item.id for part in korean_qa().split(20, 20, 9) for item in part])"
    )
    there = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )
    assert there.stdout.strip() == repr([item.id for part in korean_qa().split(20, 20, 9) for item in part])


def test_too_few_shots_is_an_error():
    """More few-shot examples than there are left is an error that names the field."""
    split = _listed(10).split(4, 4, 0)
    assert len(split.first_shots(2)) == 2
    with pytest.raises(DatasetInvalid, match=r"prompt\.fewShot asks for 3 examples.*2 left"):
        split.first_shots(3)


@given(st.lists(st.integers(), max_size=30), st.integers())
def test_shuffling_keeps_all(values, seed):
    """A shuffled list holds the same values, and the same seed shuffles it in the same way."""
    assert sorted(Draw(seed).shuffled(values)) == sorted(values)
    assert Draw(seed).shuffled(values) == Draw(seed).shuffled(values)


@given(st.integers(-50, 50), st.integers(0, 50), st.integers(1, 7), st.integers())
def test_integers_stay_between_their_bounds(low, width, step, seed):
    """An integer is on the grid from its low bound and never above its high one."""
    value = Draw(seed).integer(low, low + width, step)
    assert low <= value <= low + width
    assert (value - low) % step == 0
