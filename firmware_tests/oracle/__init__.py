"""A second opinion on what a grant means, written from the rules; never imports the firmware.

Host only. Works on plain dicts (the shape of `firmware_tests/vectors`, see the README there), on
datetime and on zoneinfo; it may be slow, so it asks about every second where the firmware computes
when something will change.

`model` has the dicts and their defaults, `zones` and `posix` know wall clocks, `verdict` answers
for one moment, `line` for every second of a span, and `forecast` for the next moment.
"""
