"""`python -m host_sim.cloud` runs the share cloud."""

from .serve import serve

serve(prog_name="python -m host_sim.cloud")
