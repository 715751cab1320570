"""Makes the published test vectors, with independent implementations only.

`python -m tools.vectors` writes firmware_tests/vectors anew, the same bytes every time; `--check`
says whether it would change anything. A module here has `files()`, which yields pairs of a file
name and its text.
"""
