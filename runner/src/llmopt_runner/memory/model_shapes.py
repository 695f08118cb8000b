"""The shape of whatever a person calls a model: a folder, a GGUF file, or a repository of the hub.

Of the hub only configurations and headers are fetched, by the hub's own library, never a weight.
"""

import importlib
import importlib.util
from pathlib import Path
from typing import Any, BinaryIO

from llmopt_core.errors.classes import ErrorClass, LlmoptError
from llmopt_core.installation import install_command
from llmopt_runner.memory.shapes import ModelShape, config_shape, gguf_shape, read_shape, unreadable
from llmopt_runner.models.gguf_headers import begins_as_gguf, read_gguf_file
from llmopt_runner.models.model_configs import LARGEST_CONFIG_BYTES, ModelConfig, parsed_config, read_config
from llmopt_runner.models.resolution import ModelNotFound, resolve_model
from llmopt_runner.models.safetensors_headers import (
    StoredTensor,
    indexed_bytes,
    read_safetensors,
    stored_tensor,
)

_CONFIG = "config.json"
_GGUF = ".gguf"
_HUB = "hf://"


class ModelUnreadable(LlmoptError):
    """The model is there, and nothing in it says what it needs."""

    error_class = ErrorClass.MODEL_NOT_FOUND


def shape_of(model: str) -> ModelShape:
    """Return the shape of `model`: a path, a source, or a repository of the hub.

    The last is `hf://ORG/NAME[@REVISION]` or `hf://ORG/NAME/FILE.gguf[@REVISION]`.

    A name without a scheme that is no path is a repository of the hub. Raises ModelNotFound,
    ModelAccessDenied, ModelCorrupt and ModelUnreadable.
    """
    if model.startswith(_HUB):
        return _of_hub(model.removeprefix(_HUB))
    if "://" in model:
        path = resolve_model(model).path
        assert path is not None  # noqa: S101 - only a repository of the hub has none
        return _of_path(path)
    path = Path(model).expanduser()
    if path.exists():
        return _of_path(path)
    # ORG/NAME or ORG/NAME/FILE.gguf; a file without an organisation before it is none of the hub.
    named = model.count("/") > 1 if model.endswith(_GGUF) else model.count("/") == 1
    if model.startswith(("/", ".", "~")) or not named:
        raise ModelNotFound(f"{model}: there is no such file or folder; a model of the hub is ORG/NAME")
    return _of_hub(model)


def _of_path(path: Path) -> ModelShape:
    if path.is_dir() and (path / _CONFIG).is_file():
        return _of_folder(path)
    if path.is_file() and not path.name.lower().endswith(_GGUF) and not begins_as_gguf(path):
        raise ModelUnreadable(f"{path}: this is not a GGUF file: give one, or a folder with config.json")
    shape = read_shape(path, headers_only=True)
    if shape is None:
        raise ModelUnreadable(f"{path}: expected a GGUF file, or a folder with config.json")
    return shape


def _of_folder(folder: Path) -> ModelShape:
    """Return the shape of a folder; where its weights are not there, what its index says of their size."""
    config = read_config(folder / _CONFIG)
    if total := indexed_bytes(folder) if not list(folder.glob("*.safetensors")) else 0:
        return config_shape(config, [StoredTensor("total", None, 0, total)])
    return config_shape(config, read_safetensors(folder, headers_only=True))


def _of_hub(name: str) -> ModelShape:
    name, _, revision = name.partition("@")
    organisation, _, tail = name.partition("/")
    model, _, file = tail.partition("/")
    if not organisation or not model:
        raise ModelNotFound(f"hf://{name}: it is not of the form hf://ORG/NAME or hf://ORG/NAME/FILE.gguf")
    hub = _Hub(f"{organisation}/{model}", revision or None)
    return hub.gguf(file) if file else hub.repository()


class _Hub:
    """One repository of the hub, of which only headers are read."""

    def __init__(self, repository: str, revision: str | None) -> None:
        if importlib.util.find_spec("huggingface_hub") is None:
            raise ModelNotFound(
                f"hf://{repository}: nothing here can ask the hub: {install_command('hub')}, or name a folder"
            )
        self._hub: Any = importlib.import_module("huggingface_hub")
        self._errors: Any = importlib.import_module("huggingface_hub.errors")
        self._repository, self._revision = repository, revision

    def repository(self) -> ModelShape:
        """Return the shape by config.json and the headers of safetensors."""
        config = self._config()
        try:
            metadata = self._asked(
                lambda: self._hub.get_safetensors_metadata(self._repository, revision=self._revision)
            )
        except self._errors.NotASafetensorsRepoError:
            return config_shape(config, ())
        return config_shape(config, _tensors(metadata))

    def gguf(self, file: str) -> ModelShape:
        """Return the shape by the header of one GGUF file, read by ranges."""
        where = f"{self._repository}/{file}"
        system = self._hub.HfFileSystem()
        size = int(self._asked(lambda: system.info(where, revision=self._revision))["size"])

        def read() -> ModelShape:
            with system.open(where, "rb", revision=self._revision, block_size=4 * 2**20) as remote:
                return _read_gguf(remote, size, Path(file))

        shape: ModelShape = self._asked(read)
        return shape

    def _config(self) -> ModelConfig:
        path = self._asked(
            lambda: self._hub.hf_hub_download(self._repository, _CONFIG, revision=self._revision)
        )
        with Path(path).open("rb") as file:
            return parsed_config(file.read(LARGEST_CONFIG_BYTES), Path(_CONFIG))

    def _asked(self, call: Any) -> Any:
        """Return what `call` returns; raises ModelNotFound where the hub has or gives nothing."""
        network_errors = (OSError, *self._errors.HfHubHTTPError.__bases__)
        try:
            return call()
        except self._errors.SafetensorsParsingError as error:
            raise ModelUnreadable(f"hf://{self._repository}: {error}") from error
        except self._errors.LocalEntryNotFoundError as error:  # the library's words for nobody being asked
            raise self._unreachable() from error
        except (self._errors.HfHubHTTPError, FileNotFoundError) as error:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise ModelNotFound(
                f"hf://{self._repository}: the hub gives nothing to read ({reason[:300]}); correct the name,"
                " or give a token in HF_TOKEN"
            ) from error
        except network_errors as error:
            raise self._unreachable() from error

    def _unreachable(self) -> ModelNotFound:
        return ModelNotFound(
            f"hf://{self._repository}: the hub cannot be reached: connect this machine (HF_HUB_OFFLINE is not"
            " to be set), or name a folder or a GGUF file that is here"
        )


def _read_gguf(remote: BinaryIO, size: int, path: Path) -> ModelShape:
    header = read_gguf_file(remote, size, path)
    return unreadable("its version of GGUF is not known") if header is None else gguf_shape(header)


def _tensors(metadata: Any) -> list[StoredTensor]:
    return [
        stored_tensor(
            Path(file),
            name,
            {"dtype": tensor.dtype, "shape": tensor.shape, "data_offsets": list(tensor.data_offsets)},
        )
        for file, part in metadata.files_metadata.items()
        for name, tensor in part.tensors.items()
    ]
