"""Reports as a browser shows them: offline, on a phone, in the dark, on paper, without a mouse.

Needs Chromium, which is installed where that is possible; the text of reports is tested without it.
"""

import pytest
from cluster import requirements
from fakes.local_runs import benchmark_manifest, manifest, run_options
from playwright.sync_api import sync_playwright

from llmopt.commands.run import run_text
from llmopt_core.api.exit_codes import Exit

OBJECTIVES = [{"metric": "accuracy"}, {"metric": "output_tokens_per_second"}]
PHONE, DESKTOP = {"width": 360, "height": 740}, {"width": 1280, "height": 900}


@pytest.fixture(scope="module", params=["search", "benchmark"])
def report(request, tmp_path_factory):
    """Return the report of a study of either kind."""
    results = tmp_path_factory.mktemp("results")
    texts = {"search": manifest(trials=8, objectives=OBJECTIVES), "benchmark": benchmark_manifest()}
    assert run_text(texts[request.param], "m.yaml", run_options(results)) == Exit.FINISHED
    return results / "small" / "report.html"


@pytest.fixture(scope="module")
def browser():
    program = requirements.browser_or_skip()
    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def opened(browser, report):
    """Return what opens the report in a window of a size; what the console says fails the test."""
    said, contexts = [], []

    def open_(viewport=DESKTOP, **options):
        context = browser.new_context(viewport=viewport, offline=True, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on(
            "request", lambda request: said.append(request.url) if request.url != report.as_uri() else None
        )
        page.goto(report.as_uri())
        return page

    yield open_
    for context in contexts:
        context.close()
    assert said == []


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_nothing_is_wider_than_the_window(opened, viewport):
    """A phone scrolls down only, and no text of a figure is cut off or too small to read."""
    page = opened(viewport)
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    for text in page.locator("figure > svg text").all():
        box, figure = (
            text.bounding_box(),
            text.locator("xpath=ancestor::*[local-name()='svg']").bounding_box(),
        )
        assert figure["x"] - 1 <= box["x"]
        assert box["x"] + box["width"] <= figure["x"] + figure["width"] + 1
        assert box["height"] >= 9


# Words of an element that stand on two lines.
_BROKEN = """(element, word) => {
  const found = [], walk = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  while (walk.nextNode())
    for (const each of walk.currentNode.data.matchAll(new RegExp(word, "g"))) {
      const range = document.createRange();
      range.setStart(walk.currentNode, each.index);
      range.setEnd(walk.currentNode, each.index + each[0].length);
      if (new Set([...range.getClientRects()].map(box => box.top)).size > 1) found.push(each[0]);
    }
  return found;
}"""


@pytest.mark.parametrize(("of", "word"), [(".headline", r"\S+"), ("pre", r"--[\w-]+")])
def test_no_name_is_broken_on_a_phone(opened, of, word):
    """A metric's name in the headline, and an option of the command, can be read as they are typed."""
    page = opened(PHONE)
    assert page.locator(of).first.evaluate(_BROKEN, word) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_follows_the_colours_of_the_system(opened, scheme):
    """Text is darker than the page in the light, and lighter in the dark."""
    page = opened(color_scheme=scheme)
    ground, text = (
        sum(int(part) for part in page.evaluate(f"getComputedStyle(document.body).{of}")[4:-1].split(","))
        for of in ("backgroundColor", "color")
    )
    assert (text < ground) == (scheme == "light")


def test_what_to_deploy_is_copied_without_a_mouse(opened):
    """The first button that the tab key reaches copies the command, and says so."""
    page = opened(permissions=["clipboard-read", "clipboard-write"])
    button = page.locator("button").first
    for _ in range(20):
        page.keyboard.press("Tab")
        if button.evaluate("each => each === document.activeElement"):
            break
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('button').textContent !== 'Copy Serve it'")
    assert button.text_content() in {"Copied", "Selected: press Ctrl+C"}


def test_on_paper_nothing_waits_for_a_click(opened):
    """Buttons are not printed, and the report has a few pages."""
    page = opened()
    page.emulate_media(media="print")
    assert not page.locator("button").first.is_visible()
    assert page.pdf(format="A4").count(b"/Type /Page\n") <= 12


def test_the_numbers_of_a_figure_open_by_the_keyboard(opened):
    """The table below a figure stands for it."""
    page = opened()
    summary = page.locator("details > summary").first
    summary.focus()
    page.keyboard.press("Enter")
    assert page.locator("details").first.locator("table, article, pre").first.is_visible()


# Pairs of a label and what it lies on: a mark or another label, by the boxes that are drawn.
_COVERED = """figures => figures.flatMap(figure => {
  const labels = [...figure.querySelectorAll("text.label")];
  const others = [...figure.querySelectorAll("g > .mark"), ...labels];
  const on = (one, other) => one.left < other.right && other.left < one.right
    && one.top < other.bottom && other.top < one.bottom;
  return labels.flatMap(label => others
    .filter(other => other !== label && on(label.getBoundingClientRect(), other.getBoundingClientRect()))
    .map(other => [label.textContent, other.textContent || other.parentNode.textContent]));
})"""


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_no_label_of_a_figure_covers_a_mark_or_another_label(opened, viewport):
    """Where marks are close, labels stand farther away."""
    page = opened(viewport)
    assert page.locator("figure > svg").evaluate_all(_COVERED) == []
