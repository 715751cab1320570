"""The store on MicroPython's real littlefs, on a flash whose power can be cut at any operation.

`test_*.py` here are collected as those in `both/` are: functions without arguments, one item per
runtime. They say `LACKS = ("littlefs",)`, so they run on the 64-bit MicroPython.
"""
