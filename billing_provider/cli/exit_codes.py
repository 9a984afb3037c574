"""The exit codes of the command line; 0 is success."""

FAILED = 1
"""A failure."""
MISUSED = 2
"""Options or an environment that are wrong."""
FOUND = 3
"""A finding, or something that was skipped."""
CHANGED = 7
"""A preview or a run with changes although none were expected, as of the Pulumi command line."""
INTERRUPTED, CLOSED = 130, 141
"""What a shell gives to a program ended by SIGINT and by SIGPIPE."""
