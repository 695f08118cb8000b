"""A small recorded surface, made by hand: its best configuration and all times are known.

Feasible and best is 2 slots, f16, load 8: 200 at a delay of 15. 2 slots, q8, load 8 is faster, but breaks the
constraint. 2 slots, q8, load 4 does not start.
"""

import json
from pathlib import Path
from typing import Any

DESCRIPTION: dict[str, Any] = {
    "name": "made",
    "origin": "made by hand",
    "licence": "Apache-2.0",
    "complete": True,
    "start_seconds": "start_seconds",
    "parameters": [
        {"name": "slots", "group": "engine", "kind": "categorical", "choices": [1, 2]},
        {"name": "cache", "group": "engine", "kind": "categorical", "choices": ["f16", "q8"]},
        {"name": "load", "group": "request", "kind": "categorical", "choices": [4, 8]},
    ],
    "objectives": [{"metric": "speed", "goal": "maximize", "weight": "1"}],
    "constraints": [{"metric": "delay", "max": 20}],
}
TRIALS = """\
slots,cache,load,speed,delay,speed_cv,seconds,start_seconds,state
1,f16,4,100,10,0.01,10,30,ok
1,f16,8,150,12,,10,30,ok
2,f16,4,180,14,,10,40,ok
2,f16,8,200,15,,10,40,ok
2,q8,8,300,30,,10,40,ok
2,q8,4,,,,0,50,failed
"""


def write_surface(folder: Path, *, trials: str = TRIALS, only_given: bool = False, **fields: Any) -> Path:
    """Write the surface into `folder`, with `fields` instead of its own; `only_given`: with no others."""
    document = fields if only_given else {**DESCRIPTION, **fields}
    (folder / "surface.json").write_text(json.dumps(document), encoding="utf-8")
    (folder / "trials.csv").write_text(trials, encoding="utf-8")
    return folder
