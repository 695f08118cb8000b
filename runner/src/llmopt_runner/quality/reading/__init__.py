"""What an answer says, whatever stands around it: typography, the part that states it, numbers, labels.

Answers are untrusted and may be huge: every reader here takes time in proportion to a bounded part of the
text and raises nothing. Comparing with the expected answer is left to the evaluators. Read `typography` and
`statements` first.
"""
