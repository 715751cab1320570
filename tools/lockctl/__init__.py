"""`lockctl`: makes keys, and issues, reads, explains, previews and checks grants.

May import firmware and host_sim. It knows no rule of its own: what a grant means is asked of
`firmware.policy`.
"""
