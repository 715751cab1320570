"""A phone that holds keys and grants, without its radio and its screen.

What it says to a lock is a pure function of bytes and runs on MicroPython, too; imports firmware
and nothing of the simulator.
"""
