"""What a node needs of a machine, and what is said where it is not there."""

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
