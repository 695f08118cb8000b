"""What of earlier studies was used, in one sentence."""

from collections.abc import Sequence

from llmopt_core.storage.earlier import Learned


def learned_text(learned: Sequence[Learned]) -> str:
    """Return what was learned from which study and what was not used; empty where there was no other."""
    used = [_used(each) for each in learned if each.weight]
    dropped = [_dropped(each) for each in learned if not each.weight]
    text = "; ".join([*([f"learned from {', '.join(used)}"] if used else []), *dropped])
    return f"{text[0].upper()}{text[1:]}." if text else ""


def _used(one: Learned) -> str:
    return f"study {_name(one)} (weight {one.weight:.1f}, {one.trials} trials)"


def _dropped(one: Learned) -> str:
    if one.weight is None:
        return f"study {_name(one)} was not used: it has too few trials with what is searched here"
    return f"study {_name(one)} was dropped: it predicted the measurements here no better than chance"


def _name(one: Learned) -> str:
    """Return the name without the namespace, which is this study's."""
    return one.resource.rpartition("/")[2]
