"""The classes of errors, as they are stored and shown."""

import pytest

from llmopt_core.errors.classes import ErrorClass


def test_a_class_that_was_renamed_is_read():
    """Rows of 0.1.0 name a class that has another name today."""
    assert ErrorClass("MeasurementVoid") is ErrorClass.MEASUREMENT_INVALID


def test_an_unknown_class_is_refused():
    """What is no class is not taken for one."""
    with pytest.raises(ValueError, match="Measured"):
        ErrorClass("Measured")
