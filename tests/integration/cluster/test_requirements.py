"""What tests need of a machine, and what is said where it is not there."""

import os

import pytest
from cluster import requirements


def test_without_root_it_says_so(monkeypatch):
    """A person who is not root reads that a node needs it."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(requirements.NodeUnavailable, match="needs root"):
        requirements.provide()


def test_missing_packages_are_named(monkeypatch):
    """Where nothing can be installed, the packages that are missing are named."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(requirements.NodeUnavailable, match=r"Debian's .*containerd .*podman .*runc"):
        requirements.provide()


@pytest.mark.parametrize(
    ("ci", "outcome"), [("", pytest.skip.Exception), ("true", requirements.NodeUnavailable)]
)
def test_a_person_skips_and_ci_fails(monkeypatch, ci, outcome):
    """A test that needs a node is skipped for a person and fails in CI, where nobody would see it skipped."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome, match="needs root"):
        requirements.provide_or_skip()


@pytest.mark.parametrize(
    ("ci", "outcome"), [("", pytest.skip.Exception), ("true", requirements.BrowserUnavailable)]
)
def test_reports_are_skipped_without_a_browser_but_not_in_ci(monkeypatch, ci, outcome):
    """Where no Chromium can be installed, a person reads what is missing, and CI fails."""
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome, match="Debian's chromium"):
        requirements.browser_or_skip()
