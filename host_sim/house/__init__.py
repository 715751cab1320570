"""A house that runs: share service, broker, radio, one lock, phones.

    house       all of it, and what happens in it
    simtime     the time of that world
    events      what happened, for whoever watches
    service     the share service, with its broker, in this process
    lock        the lock's process
    phone       a person's phone, and its way to the door
    faults      what can be made to go wrong
    attacker    who brings grants that the lock must not take
    record      what people did, as a story

One asyncio process, on loopback only. For CPython; imports firmware and host_sim.
"""
