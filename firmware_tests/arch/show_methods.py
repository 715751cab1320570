"""Run by test_device.py on MicroPython: prints the methods of the built-in types."""

for type_ in (int, str, bytes, bytearray, memoryview, list, tuple, dict, set, frozenset):
    for name in dir(type_):
        print(name)
