"""Numbers of other libraries, and what only looks like one."""

import numpy as np
import pytest

from llmopt.plain_values import plain


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (np.int64(3), 3),
        (np.float64(0.5), 0.5),
        (np.bool_(True), True),  # noqa: FBT003 - the value that is tested
        (np.array([0.5]), 0.5),
        (np.array(2), 2),
    ],
)
def test_a_scalar_of_numpy_is_its_number(value, number):
    """The type is Python's own, which JSON and YAML can hold."""
    assert plain(value) == number
    assert type(plain(value)) is type(number)


class OfSeveral:
    def item(self):
        raise RuntimeError("a tensor with 2 elements cannot be converted")


class OfAnother:
    def item(self, name):
        return name


@pytest.mark.parametrize(
    "value", [None, 1, "a", [1], np.array([1, 2]), OfSeveral(), OfAnother(), {"item": 1}]
)
def test_anything_else_stays_as_it_is(value):
    """Arrays of several values included: what they are is said where a number is expected."""
    assert plain(value) is value
