"""The names that users, programs and other versions see, each defined once as an enumeration.

Kinds, condition types and reasons, phases, exit codes, labels, annotations, names of objects and environment
variables. A value in here is a public interface: it is stored in clusters and databases, so values are added
and never changed. The package holds names and what they mean; it decides nothing and imports nothing but the
classes of errors.

Read `reasons` first, then `explanations`.
"""
