"""The simulator's page: what the stand does and knows, told by the server, live.

Imports the cloud and the policy; what it shows comes from a `stand.Stand`. Nothing here decides.
"""
