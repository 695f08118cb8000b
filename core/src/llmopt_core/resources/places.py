"""Where in a YAML text a dotted path stands."""

import re

import yaml

_INDEX = re.compile(r"\[(\d+)\]")


def line_of(document: yaml.Node, path: str) -> int:
    """Return the line, from 1 on, of the deepest part of `path` that the composed `document` has."""
    node, line = document, _first_line(document)
    while path and (found := _step(node, path)) is not None:
        line, node, path = found
    return line


def duplicates(node: yaml.Node, path: str = "") -> tuple[str, ...]:
    """Return the paths of keys that stand twice in one mapping: YAML would let the last one win silently."""
    found: list[str] = []
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, child in node.value:
            below = f"{path}.{key.value}".removeprefix(".")
            found += [below] if key.value in seen else []
            seen.add(key.value)
            found += duplicates(child, below)
    elif isinstance(node, yaml.SequenceNode):
        for index, child in enumerate(node.value):
            found += duplicates(child, f"{path}[{index}]")
    return tuple(found)


def _first_line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _step(node: yaml.Node, path: str) -> tuple[int, yaml.Node, str] | None:
    if isinstance(node, yaml.MappingNode):
        return _key_step(node, path)
    index = _INDEX.match(path)
    if isinstance(node, yaml.SequenceNode) and index and int(index[1]) < len(node.value):
        child = node.value[int(index[1])]
        return _first_line(child), child, path[index.end() :].removeprefix(".")
    return None


def _key_step(node: yaml.MappingNode, path: str) -> tuple[int, yaml.Node, str] | None:
    """Follow the longest key that `path` begins with: keys may hold dots (`sampling.temperature`)."""
    fitting = [
        (key, value)
        for key, value in node.value
        if path == key.value or path.startswith((f"{key.value}.", f"{key.value}["))
    ]
    if not fitting:
        return None
    key, value = max(fitting, key=lambda pair: len(pair[0].value))
    return _first_line(key), value, path[len(key.value) :].removeprefix(".")
