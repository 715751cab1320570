"""Bluetooth without a radio: Bumble's controllers, which hear each other, in a process.

    air     the controllers, and hosts that bring one for themselves over HCI
    chip    the Bluetooth of a lock, for host_sim/shims/board/bluetooth.py
    bluez   an `org.bluez` on a private D-Bus, for bleak and for browsers

`python -m host_sim.radio` runs all of it. There is no time on this air and no distance: every
packet arrives, at once. Imports nothing else of the project.
"""
