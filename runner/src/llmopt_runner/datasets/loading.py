"""From what a manifest says about its data set to the data set."""

from llmopt_core.plugins import PluginGroup, load_plugin
from llmopt_core.resources.serving import Dataset
from llmopt_runner.datasets.base import DatasetInvalid, DatasetSource


def load_dataset(spec: Dataset) -> DatasetSource:
    """Return the data set that `spec` names; raises DatasetInvalid, PluginNotFound or PluginBroken."""
    if spec.name is None:
        raise DatasetInvalid("workload.dataset names no data set: write name, path, configMapKeyRef or hf")
    return _registered(spec.name)


def _registered(name: str) -> DatasetSource:
    plugin = load_plugin(PluginGroup.DATASETS, name)
    if not callable(plugin.value):
        raise plugin.unfit("it is not a callable that returns a DatasetSource")
    source = plugin.value()
    if not isinstance(source, DatasetSource):
        raise plugin.unfit(f"it returned a {type(source).__name__}, not a DatasetSource")
    return source
