"""The report of a real study, whose measurements a stub runner made up."""

import json
import re
from html.parser import HTMLParser

import pytest
from fakes.local_runs import manifest, run_options
from typer.testing import CliRunner

from llmopt.commands.run import run_text
from llmopt.main import app
from llmopt_core.api.exit_codes import Exit

EMPTY_ELEMENTS = {"meta", "link", "br", "img", "input", "hr"}


class Page(HTMLParser):
    """Collects what a report refers to, its headings and whether its tags are closed in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.sources, self.headings, self.text = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.sources += [value for name, value in attributes if name in {"src", "href"}]
        if tag in {"h1", "h2", "h3"}:
            self.headings.append(tag)
        if tag not in EMPTY_ELEMENTS:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in {"script", "style"}:
            self.text.append(data)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Return a results folder of a finished study whose manifest holds what a page must escape."""
    results = tmp_path_factory.mktemp("results")
    text = "# <script>alert('mine')</script>\n" + manifest(trials=6)
    assert run_text(text, "m.yaml", run_options(results)) == Exit.FINISHED
    return results / "small"


def test_a_report_is_one_file_that_needs_nothing_else(study):
    """The page is well formed, refers to nothing outside, and has one heading of the first order."""
    page = Page((study / "report.html").read_text())
    assert page.open == []
    assert page.sources == []
    assert page.headings.count("h1") == 1


def test_a_report_says_what_was_found_and_how(study):
    """Decision, serve command, changes, figures, answers, workload, machine and manifest are in the text."""
    text = " ".join(" ".join(Page((study / "report.html").read_text()).text).split())
    for said in (
        "Significant gain over the baseline: accuracy", "What to deploy", "output_tokens_per_second",
        "llama-server --model SmolLM2-135M-Instruct.Q4_1.gguf",
        "8 held out, the same for all repeats", "What changes from the baseline", "Quality against speed",
        "The parameters that matter", "sampling.temperature", "Answers: baseline and best",
        "Machine", "Engine version", "Sampler seed", "metadata:",
    ):  # fmt: skip
        assert said in text


def test_foreign_text_is_not_markup(study):
    """What users and engines write is shown, not run."""
    page = (study / "report.html").read_text()
    assert "<script>alert(" not in page
    assert "&lt;script&gt;alert(" in page
    assert "<b>item-0</b>" not in page
    assert "&lt;b&gt;item-0&lt;/b&gt;" in page
    assert "\x1b" not in page


def test_every_figure_is_said_in_words(study):
    """It has a title, a description, a caption and a table of its numbers, and needs no script."""
    page = (study / "report.html").read_text()
    drawn = re.findall(r'<svg viewBox="0 0 460 310" role="img" aria-labelledby="(\S+) (\S+)">', page)
    assert len(drawn) >= 2
    for title, text in drawn:
        assert re.search(
            rf'<title id="{title}">[^<]{{10,}}</title><desc id="{text}">[^<]{{30,}}</desc>', page
        )
    assert page.count("<summary>Numbers: ") == page.count("<figcaption>") == len(drawn)


def test_a_report_is_small(study):
    """It can be sent by mail."""
    assert (study / "report.html").stat().st_size < 200_000


def test_a_report_is_readable_on_a_phone_and_in_the_dark(study):
    """The page sets its width by the device and has colours for dark surroundings."""
    page = (study / "report.html").read_text()
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in page
    assert re.search(r"@media \(prefers-color-scheme: dark\)", page)


def test_report_writes_to_the_given_path(study, tmp_path):
    """`llmopt report NAME --output FILE` draws the report of an earlier study again."""
    output = tmp_path / "again.html"
    arguments = ["report", "small", "--results", str(study.parent), "--output", str(output)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == Exit.FINISHED, result.output
    assert Page(output.read_text()).open == []


def test_a_failed_study_has_a_report_with_its_errors(tmp_path):
    """Where nothing was measured the report says so, with the error and what to do."""
    run_text(manifest(), "m.yaml", run_options(tmp_path, "--fail", "ModelNotFound"))
    page = (tmp_path / "small" / "report.html").read_text()
    assert "No configuration could be measured" in page
    assert "no such model &lt;b&gt;x&lt;/b&gt;" in page
    assert "name one that exists" in page


def test_a_report_is_printed_as_markdown_and_as_json(study):
    """For a pull request and for programs; nothing of it is a command to a terminal."""
    arguments = ["report", "small", "--results", str(study.parent), "--format"]
    markdown = CliRunner().invoke(app, [*arguments, "md"]).output
    assert markdown.startswith("## llmopt: small\n\n**Significant gain over the baseline: accuracy")
    assert "| sampling.temperature | left to the engine |" in markdown
    read = json.loads(CliRunner().invoke(app, [*arguments, "json"]).output)
    assert read["study"] == "small"
    assert read["conditions"]["Sampler seed"] == "0"
    assert [trial["number"] for trial in read["trials"]] == list(range(10))
    assert read["trials"][0]["phase"] == "baseline"


def test_studies_are_put_on_one_page(study, tmp_path):
    """`llmopt compare STUDY STUDY` needs no cluster and no run."""
    output = tmp_path / "both.html"
    arguments = ["compare", "small", str(study), "--results", str(study.parent), "--output", str(output)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == Exit.FINISHED, result.output
    page = Page(output.read_text())
    assert (page.open, page.sources, page.headings.count("h1")) == ([], [], 1)
    text = " ".join(page.text)
    assert "small (2): trial" in text
    assert "Not measured alike" not in text


def test_a_study_that_cannot_be_compared_is_named(study):
    """One error, and no page."""
    result = CliRunner().invoke(app, ["compare", "small", "other", "--results", str(study.parent)])
    assert result.exit_code == Exit.INVALID
    assert "no results in other" in result.output
