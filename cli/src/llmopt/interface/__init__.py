"""The `llmopt` command as people type it: its commands, their options and help.

Each module holds the commands of one kind; what they do is loaded only when a command is called, so that
`llmopt --help` and completion answer at once. Read `application` first.
"""
