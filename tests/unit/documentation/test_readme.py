"""The README states what benchmarks measured and what is there."""

import re
import tomllib

import pytest
import yaml
from documentation.pages import ROOT, blocks, pages
from typer.main import get_command

from llmopt.main import app
from llmopt_core.engines.registry import BUILT_IN

README = (ROOT / "README.md").read_text()
RESULTS = ROOT / "bench/results"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
COMMANDS = set(get_command(app).commands)
CLUSTER_COMMANDS = [path.stem for path in (ROOT / "cli/src/llmopt/cluster/commands").glob("[a-z]*.py")]
_SAYING = [
    *pages(),
    *(path for part in ("core", "cli", "runner", "operator") for path in (ROOT / part).rglob("*.py")),
]


@pytest.mark.parametrize("page", ["docs/how-to/reduce-gpu-hours.md", "docs/explanations/search.md"])
def test_the_search_is_as_fast_as_was_measured(page):
    """Both figures are those of the newest page of results, which says itself that it is complete."""
    said, measured = (ROOT / page).read_text(), (RESULTS / "2026-11-28-search.md").read_text()
    for goal in ("best strategy with one start per trial / auto", "TPE grouped by engine / auto"):
        reached = re.search(rf"\| {re.escape(goal)}[^|]*\| [^|]* \| ([\d.]+) \|", measured)[1]
        assert f"{reached} times less" in said
    assert "preliminary" not in said


@pytest.mark.parametrize("name", ["README.md", "README.ko.md"])
def test_the_rate_of_false_claims_is_the_worst_that_was_simulated(name):
    """It is that of the sequential rule where nothing has an effect."""
    rows = (RESULTS / "2026-11-26-verification.md").read_text()
    rates = [float(rate) for rate in re.findall(r"\| no effect.* \| sequential \| ([\d.]+) ±", rows)]
    assert f"{max(rates)}{' of 100' if name == 'README.md' else '개'}" in (ROOT / name).read_text()


@pytest.mark.parametrize("name", ["README.md", "README.ko.md"])
def test_the_version_of_vllm_is_that_of_the_extra(name):
    """What was tried on a GPU is an older version than what a user gets, and the page says both."""
    (wanted,) = PROJECT["optional-dependencies"]["vllm"]
    tried = re.search(r"vLLM ([\d.]+\d)", (RESULTS / "2026-11-27-h100-vllm.md").read_text())[1]
    for version in (wanted.removeprefix("vllm>="), tried):
        assert version in (ROOT / name).read_text()


RECORDED = (RESULTS / "2026-11-28-quickstart.md").read_text()


@pytest.mark.parametrize("name", ["README.md", "README.ko.md"])
def test_the_quickstart_is_one_of_the_recorded_runs(name):
    """Headline and duration are those of the first recorded run, and the range is that of all of them."""
    page = (ROOT / name).read_text()
    headline = re.search(r"^Significant gain over .*$", page, re.MULTILINE)[0]
    rows = re.findall(r"^\| (\d+) \| (\d+) \| (.*) \|$", RECORDED, re.MULTILINE)
    (seconds,) = (int(seconds) for _, seconds, row in rows if headline in row)
    minutes, rest = divmod(seconds, 60)
    shortest, longest = (edge(int(seconds) for _, seconds, _ in rows) for edge in (min, max))
    said = page.replace("\n", " ")
    if name == "README.md":
        assert f"the study took {minutes} min {rest} s" in said
        assert f"in {shortest} to {longest} seconds" in said
    else:
        assert f"{minutes}분 {rest}초" in said
        assert f"{shortest}초에서 {longest}초" in said


# What the README calls the parameters that the quickstart searches.
_SAID = {
    "slots": ["engine.n_parallel"],
    "batch sizes": ["engine.n_batch", "engine.n_ubatch"],
    "threads": ["engine.threads"],
    "KV cache types": ["engine.cache_type_k", "engine.cache_type_v"],
    "flash attention": ["engine.flash_attn"],
    "prompt cache": ["engine.cache_prompt"],
    "temperature": ["sampling.temperature"],
    "top_p": ["sampling.top_p"],
    "min_p": ["sampling.min_p"],
    "examples in the prompt": ["prompt.few_shot"],
}


def test_the_quickstart_searches_what_the_page_lists():
    """Each parameter of the manifest is in the list, and nothing else; the trials are the budget's."""
    spec = yaml.safe_load((ROOT / "config/samples/quickstart.yaml").read_text())["spec"]
    searched = {f"{of}.{each['name']}" for of, some in spec["search"]["space"].items() for each in some}
    listed = re.search(r"It tries up to (\d+) configurations of (.*?)\. ", README.replace("\n", " "))
    assert int(listed[1]) == spec["budget"]["trials"]
    words = re.split(r", | and ", listed[2])
    assert {name for word in words for name in _SAID[word]} == searched


@pytest.mark.parametrize("name", ["README.md", "README.ko.md"])
def test_the_oldest_kubernetes_is_that_of_the_chart(name):
    """The page names the version that the chart asks for."""
    oldest = yaml.safe_load((ROOT / "helm/llmopt/Chart.yaml").read_text())["kubeVersion"]
    assert re.search(r"\d+\.\d+", oldest)[0] in (ROOT / name).read_text()


@pytest.mark.parametrize("name", ["README.md", "README.ko.md"])
def test_every_engine_has_its_row(name):
    """What can be started or asked is in the table of engines, and nothing else."""
    rows = re.findall(r"^\| `(\w+)` \|", (ROOT / name).read_text().split("\n## ")[-3], re.MULTILINE)
    assert sorted(rows) == sorted(BUILT_IN)


# What a command or Python of the README needs besides the package's own requirements.
_NEEDS = {
    r"^llmopt (?:run|optimize|benchmark|compare|status|init --auto-detect)\b|\bllmopt\.optimize\(": "runner",
    r"^llmopt (?:run|optimize|benchmark|compare|report)\b": "report",
    r"^llmopt fit [A-Z]\w*/": "hub",
    rf"^llmopt (?:{'|'.join(CLUSTER_COMMANDS)})\b": "cluster",
    r"\.gguf\b|^llmopt benchmark --model small ": "llamacpp",
    r"--models? (?!.*--endpoint)(?:\S+ )?[A-Z]\w*/": "transformers or vllm",
}


@pytest.mark.parametrize("name", ["README.md", "README.ko.md"])
def test_the_installation_covers_the_commands(name):
    """Who installs what the page says, notes included, misses no package in the commands that it shows."""
    page = ROOT / name
    (line,) = (text for text in _lines(page) if text.startswith("pip install"))
    installed = set(re.search(r"\[(.*)\]", line)[1].split(","))
    before = page.read_text().partition("$ pip install")[0].split("```")[-2]
    if re.search(r"`Qwen/.*`transformers`\S* (?:\S+ )?`vllm`", before, re.DOTALL):
        installed.add("transformers or vllm")
    needed = {extra for text in _lines(page) for written, extra in _NEEDS.items() if re.search(written, text)}
    assert needed == set(_NEEDS.values())
    assert needed <= installed


def _lines(page):
    found = [block for block in blocks(page) if block.language in {"console", "python"}]
    return [
        line
        for block in found
        for line in (block.commands if block.language == "console" else block.text.splitlines())
    ]


@pytest.mark.parametrize("name", ["README.md", "README.ko.md"])
def test_every_extra_has_its_row(name):
    """The table of extras is that of the package, and the commands that it names are there."""
    rows = re.findall(
        r"^\| ((?:`\w+`(?:, )?)+) \| (.*) \|$",
        (ROOT / name).read_text().partition("| extra |")[2].partition("\n\n")[0],
        re.MULTILINE,
    )
    named = [extra for extras, _ in rows for extra in re.findall(r"`(\w+)`", extras)]
    assert sorted(named) == sorted(PROJECT["optional-dependencies"])
    said = " ".join(use for _, use in rows)
    shown = {word for word in re.findall(r"`(?:llmopt )?([a-z]+)[^`./]*`", said) if word != "gp"}
    assert shown <= COMMANDS | {"llmopt"}, shown - COMMANDS


def test_nothing_is_installed_by_the_bare_name():
    """llmopt is on no index: `pip install llmopt` would fail, or install a package of somebody else."""
    bare = re.compile(r"pip install (?:-\S+ )*['\"]?llmopt(?![-\w/])")
    assert [str(path.relative_to(ROOT)) for path in _SAYING if bare.search(path.read_text())] == []
