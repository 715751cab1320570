"""What this program touches outside of itself: pins, buses, the time, the console.

The only package that imports `machine`. `app` hands its objects to all others. Imports nothing
else of the firmware but `unload`.
"""
