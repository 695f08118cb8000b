"""From what a manifest says about its data set to the data set."""

from pathlib import Path

from llmopt_core.plugins import PluginGroup, load_plugin
from llmopt_core.resources.serving import ConfigMapKey, Dataset
from llmopt_runner.datasets.base import DatasetInvalid, DatasetSource
from llmopt_runner.datasets.files import read_file
from llmopt_runner.datasets.hub import load_from_hub

# Where a runner's pod finds its ConfigMaps: one folder each, one file a key.
CONFIG_MAPS = Path("/etc/llmopt/config-maps")


def load_dataset(spec: Dataset, *, config_maps: Path = CONFIG_MAPS) -> DatasetSource:
    """Return the data set that `spec` names.

    A relative `path` is relative to the working directory. Raises DatasetInvalid, PluginNotFound or
    PluginBroken.
    """
    if spec.name is not None:
        return _registered(spec.name)
    if spec.path is not None:
        return read_file(Path(spec.path))
    if spec.config_map_key_ref is not None:
        return read_file(_mounted(spec.config_map_key_ref, config_maps))
    if spec.hf is not None:
        return load_from_hub(spec.hf, spec.split)
    raise DatasetInvalid("workload.dataset names no data set: write name, path, configMapKeyRef or hf")


def _mounted(reference: ConfigMapKey, config_maps: Path) -> Path:
    path = config_maps / reference.name / reference.key
    if not path.is_file():
        raise DatasetInvalid(
            f"workload.dataset.configMapKeyRef: the ConfigMap {reference.name!r} with the key "
            f"{reference.key!r} is not mounted at {path}: create it; "
            "without a cluster, use workload.dataset.path"
        )
    return path


def _registered(name: str) -> DatasetSource:
    plugin = load_plugin(PluginGroup.DATASETS, name)
    if not callable(plugin.value):
        raise plugin.unfit("it is not a callable that returns a DatasetSource")
    source = plugin.value()
    if not isinstance(source, DatasetSource):
        raise plugin.unfit(f"it returned a {type(source).__name__}, not a DatasetSource")
    return source
