"""Several studies side by side, as a page, as Markdown and as JSON."""

import json
from dataclasses import replace

import pytest
from fakes.comparisons import SPEED
from fakes.local_runs import benchmark_document, document
from fakes.statuses import choice, compared, effect, ended, found

from llmopt.report.charts import Role
from llmopt.report.comparisons import comparison_of
from llmopt.report.content import Measured, content_of
from llmopt.report.pages import comparison_json, comparison_markdown, comparison_page, report_markdown
from llmopt_core.analysis.effects import Interval
from llmopt_core.resources.loading import resource_of
from llmopt_core.results.results import OptimizationResult

GAIN = effect(difference=0.2, interval=Interval(0.1, 0.3), baseline=0.4)
FASTER = effect(SPEED, 10.0, Interval(5.0, 15.0), baseline=40.0)
SAME = effect(difference=0.0, interval=Interval(-0.01, 0.01), baseline=0.4)


def search(name="mine", gain=(GAIN, FASTER), **changes):
    """Return content and status of a search whose trial 3 has `gain`."""
    status = found(*gain, confirmed=True, choices=[choice(3, *gain, serve_args="serve | more")], **ended())
    status = status.model_copy(update={"best": status.best.model_copy(update={"serve_args": "serve | more"})})
    result = OptimizationResult(name, status, engine="llamacpp")
    spec = resource_of(document(**changes)).spec
    return content_of(result, spec, Measured(), manifest_text=""), status


def benchmark():
    """Return content and status of a benchmark that a candidate won."""
    result = compared([50, 51, 49, 50, 52], [60, 61.5, 59, 60.5, 62])
    spec = resource_of(benchmark_document()).spec
    return content_of(result, spec, Measured(), manifest_text=""), result.status


def side_by_side(*studies):
    return comparison_of([content for content, _ in studies], [status for _, status in studies])


def test_each_study_shows_its_baseline_and_what_it_recommends():
    """Gains are over the study's own baseline; studies of one name are distinguished."""
    both = side_by_side(search(), benchmark())
    assert [(each.study, each.title, each.role) for each in both.entries] == [
        ("mine", "baseline", Role.BASELINE),
        ("mine", "trial 3", Role.BEST),
        ("mine (2)", "default", Role.BASELINE),
        ("mine (2)", "a", Role.BEST),
    ]
    assert both.entries[1].values["accuracy"].text == "0.6"
    assert both.entries[1].values["accuracy"].detail == "+0.200 (+0.100 to +0.300)"
    assert (both.entries[1].values[SPEED].low, both.entries[1].values[SPEED].high) == (45.0, 55.0)
    assert both.metrics[:2] == ("accuracy", SPEED)


def test_a_kept_default_is_not_recommended_against():
    """What was tried without a verified gain is shown as verified, not as what to take."""
    both = side_by_side(search(gain=(SAME, FASTER)), search(gain=(SAME,)))
    assert [each.role for each in both.entries if each.title == "trial 3"] == [Role.BEST, Role.VERIFIED]


def test_what_was_not_measured_alike_is_said_first():
    """Other items or lengths make numbers incomparable; another sampler does not."""
    alike = side_by_side(search(), search("other"))
    assert alike.doubts == ()
    different = side_by_side(search(), search("other", max_tokens=64))
    assert different.doubts == ("Answer length",)
    page = comparison_page(different)
    assert page.index("Not measured alike: Answer length") < page.index("What each study measured")


def test_the_figure_shows_what_most_configurations_have():
    """Both axes are metrics that all four share, with intervals where there are some."""
    figure = side_by_side(search(), search("other")).figure
    assert figure.columns[2:] == ("accuracy", SPEED)
    assert len(figure.chart.marks) == 4
    assert [mark.label for mark in figure.chart.marks if mark.label] == ["mine", "other"]
    assert len(figure.chart.marks[-1].intervals) == 2
    assert side_by_side(search(gain=(GAIN,)), search(gain=(GAIN,))).figure is None


def test_markdown_is_tables_that_a_forge_renders():
    """Every row has as many cells as its head, and text of others is no markup."""
    first, status = search()
    forged = replace(first, title="a|b\n<script>")
    text = comparison_markdown(side_by_side((forged, status), search("other")))
    table = [line for line in text.splitlines() if line.startswith("|")]
    head = next(line for line in table if line.startswith("| study"))
    rows = table[table.index(head) : table.index(head) + 6]
    assert len({line.replace("\\|", "").count("|") for line in rows}) == 1
    assert r"a\|b \<script\>" in text
    assert "```\nserve | more\n```" in text


@pytest.mark.parametrize("study", [search, benchmark])
def test_a_report_in_markdown_has_the_decision(study):
    """Headline, numbers and command, with what was measured folded away."""
    content, _ = study()
    text = report_markdown(content)
    assert text.startswith(f"## llmopt: {content.title}\n")
    assert content.headline[0].split("[")[0].strip() in text
    assert "|---" in text
    assert "<details><summary>How it was measured</summary>" in text
    assert "\n\n\n" not in text


def test_json_has_numbers_by_study():
    """A program reads means, intervals, roles and conditions."""
    read = json.loads(comparison_json(side_by_side(search(), benchmark())))
    mine, other = read["studies"]
    assert mine["configurations"][1]["metrics"]["accuracy"]["mean"] == pytest.approx(0.6)
    assert mine["serve_command"] == "serve | more"
    assert mine["conditions"]["Data set"] == "arithmetic"
    assert [each["role"] for each in other["configurations"]] == ["baseline", "best"]
