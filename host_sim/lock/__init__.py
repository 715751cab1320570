"""A lock on the desk: the whole firmware in a process, a line of JSON in, a line of JSON out.

Runs on CPython and on MicroPython; imports only firmware and host_sim.world.
"""
