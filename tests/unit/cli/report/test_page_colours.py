"""The colours of the page can be read by everyone: WCAG 2.2, 1.4.3 and 1.4.11."""

import re
from importlib.resources import files

import pytest

_BLOCKS = re.findall(r":root \{([^}]*)\}", (files("llmopt.report") / "report.css").read_text())
SCHEMES = {
    name: dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", block))
    for name, block in zip(("light", "dark", "print"), _BLOCKS, strict=True)
}


def luminance(colour):
    """Return the relative luminance of `#rrggbb`."""
    parts = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    """Return the contrast of two colours, from 1 to 21."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_is_that_of_the_standard():
    """Black on white is 21, and a known grey is at the limit."""
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("ground", ["page", "card"])
@pytest.mark.parametrize("text", ["text", "quiet", "good", "bad", "accent", "verified"])
def test_text_and_marks_can_be_read(scheme, ground, text):
    """In light and dark surroundings and on paper."""
    colours = SCHEMES[scheme]
    assert contrast(colours[text], colours[ground]) >= 4.5


@pytest.mark.parametrize("scheme", SCHEMES)
def test_buttons_can_be_read(scheme):
    """Their text lies on the accent."""
    assert contrast(SCHEMES[scheme]["on-accent"], SCHEMES[scheme]["accent"]) >= 4.5
