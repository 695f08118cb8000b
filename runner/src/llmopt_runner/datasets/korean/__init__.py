"""Generators of the questions of `korean_math` and `korean_qa`.

Which questions make a data set is said by those two modules. Read `words` first.
"""
