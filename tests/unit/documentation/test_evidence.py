"""Each figure and each guarantee of the README names what shows it, in both languages.

A figure without an entry here fails the test: add what shows it, or leave the figure out.
"""

import re

import pytest
from documentation.pages import ROOT

ENGLISH, KOREAN = "README.md", "README.ko.md"

# What the pages say (None: the Korean one does not), and the file with the line that shows it.
FIGURES = [
    ("Python 3.11 or newer", "Python 3.11 이상", "pyproject.toml", r'^requires-python = ">=3\.11"'),
    ("up to 30 configurations", "최대 30가지 설정", "config/samples/quickstart.yaml", r"^    trials: 30\b"),
    ("3 min 53 s", "3분 53초", "bench/results/2026-11-28-quickstart.md", r"^\| 0 \| 233 \|"),
    (
        "numbers in brackets are 95 % intervals",
        "95% 신뢰구간",
        "bench/results/2026-11-26-verification.md",
        r"they are stated at\s+95 % for a study as a whole",
    ),
    ("10 of 10 runs", None, "bench/results/2026-11-28-quickstart.md", r"10 of 10 found a significant gain"),
    (
        "in 218 to 281 seconds",
        "218초에서 281초",
        "bench/results/2026-11-28-quickstart.md",
        r"^\| \d \| 281 \|[\s\S]*^\| \d \| 218 \|",
    ),
    (
        "1.59 times less engine time",
        "1.59배",
        "bench/results/2026-11-28-search.md",
        r"TPE grouped by engine / auto[^|]*\| at least 1\.5 \| 1\.59 ",
    ),
    (
        "within 5 % of the best",
        "최적값의 5 % 이내",
        "bench/results/2026-11-28-search.md",
        r"^## Engine seconds to within 5 % of the best",
    ),
    (
        "1.44 times less than the best of five strategies",
        "다섯 전략 중 가장 좋은 것은 1.44배",
        "bench/results/2026-11-28-search.md",
        r"best strategy with one start per trial / auto[^|]*\| at least 3 \| 1\.44 ",
    ),
    (
        "in 9 of 43 cases another strategy is more than 1.2 times as fast",
        "43가지 경우 중 9가지에서는 다른 전략이 1.2배 넘게",
        "bench/results/2026-11-28-search.md",
        r"^More than 1\.2 times the best of all in 9 of 43 cases",
    ),
    (
        "2.5 of 100 studies at most",
        "스터디 100개 중 최대 2.5개",
        "bench/results/2026-11-26-verification.md",
        r"no effect, one objective, never stopped early \| sequential \| 2\.5 ",
    ),
    (
        "defaults are trial 0",
        None,
        "tests/integration/study/test_study_conformance.py",
        r"^def test_default_comes_first_then_the_enqueued\b",
    ),
    (
        "| 8 ms | of the framework's own time per trial",
        "| 8 ms | 시도 하나에 프레임워크가 쓰는 시간",
        "bench/results/2026-11-23-two-cores.md",
        r"2,000 \| 1 \|[^|]*\| 8\.4 ",
    ),
    (
        "| 32 ms | from an emergency of memory",
        "| 32 ms | 메모리 위급 상황",
        "bench/results/2026-11-23-engines-and-memory.md",
        r"EMERGENCY to no process [^|]*\| 32 \|",
    ),
    (
        "| 3.9 s | from `kubectl apply`",
        "| 3.9초 | `kubectl apply`부터",
        "bench/results/2026-11-23-operator.md",
        r"3\.9 s in all",
    ),
    (
        "4-bit and 8-bit weights",
        "4비트·8비트 가중치",
        "tests/integration/engines/test_conformance_transformers.py",
        r'\("bnb-4bit"[^\n]*\n +\("bnb-8bit"',
    ),
    ("[one H100]", "[H100 한 대]", "bench/results/2026-11-26-h100.md", r"one NVIDIA H100"),
    ("[one H200]", "[H200 한 대]", "bench/results/2026-11-26-h200.md", r"one NVIDIA H200"),
    ("version 0.25.1", "0.25.1 버전", "bench/results/2026-11-27-h100-vllm.md", r"vLLM 0\.25\.1"),
    ("0.32 or newer", "0.32 이상", "pyproject.toml", r'"vllm>=0\.32"'),
    ("1.31 or newer", "1.31 이상", "helm/llmopt/Chart.yaml", r'^kubeVersion: ">=1\.31\.'),
]
# Names in which a digit is no figure; of the Korean page also "per second".
_NAMES = ("x86-64", "SmolLM2-135M-Instruct", "Apache-2.0", "2코어 컴퓨터", "1초당")

# What the README verifies, by the first words of each point in English, and its tests: file, function.
GUARANTEES = {
    "Every gain is against a measured baseline": [
        ("integration/study/test_study_conformance.py", "test_default_comes_first_then_the_enqueued"),
    ],
    "The proof uses questions that the search never asked": [
        ("integration/study/test_study_conformance.py", "test_plan_is_stored_once_and_interleaved"),
        (
            "unit/core/analysis/test_sequential.py",
            "test_a_study_without_effects_crosses_as_often_as_the_error_rate",
        ),
    ],
    "TTFT is the time to the first non-empty token": [
        ("unit/runner/load/test_load_answers.py", "test_the_first_token_is_the_first_part_of_any_kind"),
    ],
    "An invalid measurement is never reported as a value": [
        ("integration/runner/test_runner.py", "test_cached_prompts_invalidate_a_measurement"),
        (
            "integration/runner/test_runner.py",
            "test_failed_requests_above_the_tolerance_invalidate_their_trials_and_not_the_study",
        ),
    ],
    "The budget is exact and no trial is lost": [
        ("integration/runner/test_runner.py", "test_three_runners_share_one_budget"),
        (
            "integration/runner/test_random_kills.py",
            "test_after_a_hundred_kills_no_trial_is_lost_and_nothing_is_left",
        ),
        ("integration/engines/test_supervision.py", "test_a_killed_runner_leaves_nothing_within_two_seconds"),
    ],
    "Memory is guarded": [
        (
            "unit/runner/memory/test_prediction.py",
            "test_what_surely_does_not_fit_is_refused_with_the_numbers",
        ),
        ("integration/memory/test_guarded_engines.py", "test_an_emergency_while_serving_leaves_nothing"),
        (
            "integration/study/test_infeasible_points.py",
            "test_a_sampler_that_is_informed_asks_less_for_what_does_not_fit",
        ),
    ],
    "A failure has one class, its cause and a remedy": [
        ("unit/core/errors/test_engine_logs.py", "test_a_log_has_the_class_of_its_cause_and_says_what_to_do"),
    ],
}


def _plain(page):
    """Return what a page says, on one line: no blocks, no targets of links, no code but commands."""
    text = re.sub(r"```.*?```", "", (ROOT / page).read_text(), flags=re.DOTALL)
    text = re.sub(r"\]\([^)]*\)", "]", text)
    return re.sub(r"\s+", " ", text)


@pytest.mark.parametrize("figure", FIGURES, ids=[figure[0] for figure in FIGURES])
def test_a_figure_is_shown_by_what_it_names(figure):
    """Both pages say it, and the file has the line."""
    english, korean, path, line = figure
    assert english in _plain(ENGLISH)
    assert korean is None or korean in _plain(KOREAN)
    assert re.search(line, (ROOT / path).read_text(), re.MULTILINE), path


@pytest.mark.parametrize(("page", "column"), [(ENGLISH, 0), (KOREAN, 1)])
def test_no_figure_stands_without_evidence(page, column):
    """What is left of a page without figures that are shown, names and code has no digit."""
    text = _plain(page)
    for known in (*(figure[column] for figure in FIGURES if figure[column]), *_NAMES):
        text = text.replace(known, "")
    text = re.sub(r"`[^`]*`", "", text)
    assert re.findall(r".{0,40}\d.{0,20}", text) == []


def test_every_guarantee_names_its_tests():
    """Each point of the list is here, the list is as long in both languages, and the tests are there."""
    points = {page: _points(page, title) for page, title in _TITLES.items()}
    assert [point.split("**")[1].rstrip(".") for point in points[ENGLISH]] == list(GUARANTEES)
    assert len(points[KOREAN]) == len(GUARANTEES)
    for path, name in (each for named in GUARANTEES.values() for each in named):
        text = (ROOT / "tests" / path).read_text()
        assert re.search(rf"^(?:async )?def {name}\b", text, re.MULTILINE), f"{path}: {name}"


_TITLES = {ENGLISH: "## What is verified", KOREAN: "## 무엇이 검증되나요"}


def _points(page, title):
    part = (ROOT / page).read_text().partition(title)[2].partition("\n## ")[0]
    return re.findall(r"^- .*$", part, re.MULTILINE)
