"""Run by test_both.py on every runtime: executes the program on stdin, and fails as it fails."""

import sys

exec(sys.stdin.read(), {})
