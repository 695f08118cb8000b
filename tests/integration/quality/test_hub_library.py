"""The hub's real library on local folders in its layout; skipped where the extra `hf` is not installed."""

import json

import pytest

from llmopt_core.resources.serving import Dataset
from llmopt_runner.datasets.base import DatasetInvalid
from llmopt_runner.datasets.loading import load_dataset

library = pytest.importorskip("datasets", reason="the extra `hf` is not installed")


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setattr(library.config, "HF_DATASETS_CACHE", tmp_path / "cache")


def test_folder_of_jsonl(tmp_path):
    """A folder of JSON lines is read through the library, with columns named in the reference."""
    lines = [json.dumps({"q": f"{n} + 1?", "a": n + 1}) for n in range(12)]
    (tmp_path / "hub").mkdir()
    (tmp_path / "hub" / "test.jsonl").write_text("\n".join(lines))
    search, held_out, shots = load_dataset(Dataset(hf=f"{tmp_path}/hub?question=q&answer=a")).split(4, 4, 0)
    answers = {item.question: item.answer for item in (*search, *held_out, *shots)}
    assert answers == {f"{n} + 1?": str(n + 1) for n in range(12)}


def test_folder_of_parquet(tmp_path):
    """A Parquet file with choices by place gives items with the chosen text."""
    rows = [{"question": f"{n}?", "answer": n % 2, "choices": ["even", "odd"]} for n in range(6)]
    (tmp_path / "hub").mkdir()
    library.Dataset.from_list(rows).to_parquet(str(tmp_path / "hub" / "train.parquet"))
    source = load_dataset(Dataset(hf=f"{tmp_path}/hub", split="train"))
    assert {item.question: item.answer for item in source.items(6, 0)}["3?"] == "odd"
    assert source.evaluator == "choice"


def test_missing_split(tmp_path):
    """A split that is not there is one error that names it and what there is."""
    (tmp_path / "hub").mkdir()
    (tmp_path / "hub" / "train.jsonl").write_text('{"question": "a", "answer": "b"}')
    with pytest.raises(DatasetInvalid, match=r"split 'test', cannot be loaded .*train"):
        load_dataset(Dataset(hf=f"{tmp_path}/hub"))
