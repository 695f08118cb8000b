"""What the operator, the runner and the command line share: types, rules, and the study.

It starts nothing and asks no server but the study's database. Each package imports only those below it:
study, resources, engines, search, metrics and api, errors. Read `resources` first, then `study`.
"""
