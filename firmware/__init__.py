"""The lock's firmware: everything that runs on the ESP32.

Runs unchanged on MicroPython and CPython. Imports nothing from host_sim, tools or firmware_tests;
inside, imports point one way (firmware_tests/arch/test_imports.py).
"""
