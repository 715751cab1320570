"""Programs around the lock: build, flash, measure, keys, grants. Imports firmware and host_sim."""
