"""What a study found and how far it is: its status, as data and in words, the same for both kinds.

`findings` (and `analysis.comparison` for benchmarks) hold what was found in exact numbers, `progress` how far
a study is. `statuses` makes of both the status that the operator writes and that everything shown is read
from: `wording` says it in words, `results` gives it to Python and best.json. Where it is shown is left to
others.
Read `reading` first.
"""
