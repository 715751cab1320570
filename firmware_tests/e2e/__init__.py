"""The lock and the network for real: MicroPython, mosquitto, TLS."""
