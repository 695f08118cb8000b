"""This machine: its hardware, its engines, and the processes of llmopt on it.

It knows no study. Read `descriptions` first.
"""
