"""The world around a simulated lock: its clock, its zone, and what the network does to it."""
