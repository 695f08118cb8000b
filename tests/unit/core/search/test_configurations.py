"""One point of the space, and the key that identifies equal ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt_core.search.configurations import GROUPS, Configuration

values = st.one_of(st.booleans(), st.integers(), st.floats(allow_nan=False), st.text())
names = st.text(alphabet="abc_", min_size=1, max_size=4)
configurations = st.builds(
    Configuration, **{group: st.dictionaries(names, values, max_size=4) for group in GROUPS}
)


@given(configurations)
def test_flat_names_lead_back_to_the_same_configuration(configuration):
    """Nothing is lost between the groups and the flat form that the study stores."""
    assert Configuration.from_flat(configuration.flat()) == configuration


@given(configurations)
def test_equal_configurations_have_one_key(configuration):
    """The order in which parameters were given does not matter."""
    turned = Configuration.from_flat(dict(reversed(configuration.flat().items())))
    assert turned.key() == configuration.key()


def test_values_of_different_types_have_different_keys():
    """1, 1.0 and true are different settings to an engine's command line."""
    assert len({Configuration(engine={"x": value}).key() for value in (1, 1.0, True, "1")}) == 4


@pytest.mark.parametrize("name", ["temperature", "model.name", "engine."])
def test_a_name_without_a_known_group_is_refused(name):
    """A full name says which group it is of."""
    with pytest.raises(ValueError, match="is not of the form"):
        Configuration.from_flat({name: 1})
