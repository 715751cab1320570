"""Cuts the power at every flash operation of a writer, and again during the recovery.

Runs on MicroPython, on its real littlefs.
"""

import sys

from host_sim.world.flash import CI_BLOCKS, Flash


def sweep(
    setup,
    action,
    recover,
    check,
    blocks=CI_BLOCKS,
    second_every=1,
    seed=1,
    ready=None,
    first_every=1,
):
    """Returns the number of cuts made; AssertionError, with the place, from the first that fails.

    `setup()` prepares a freshly formatted and mounted file system, once. `action(done)` is the
    writer under test; it appends to the list `done` whatever it was told is safe (a call that
    returned). `recover()` is the boot after a cut and returns what `check(recovered, done)` looks
    at; check may write, too. Everything works below `flash.MOUNT`. `ready()` may open things after
    the mount and before the action whose operations are cut.

    Each operation of the action is cut, clean and torn, or each `first_every`-th. Of each cut's
    recovery, every `second_every`-th operation is then cut as well, the first one being another at
    each cut.
    """
    flash = Flash(blocks, seed)
    flash.format()
    _mounted(flash, setup)
    before = flash.image()
    operations = _operations(flash, ready, action)
    cuts = 0
    for torn in (False, True):
        for first in range(0, operations, first_every):
            flash.restore(before)
            done = []
            if not _cut(flash, first, torn, ready, lambda: action(done), True):  # noqa: B023
                raise AssertionError("the writer is not the same each time: no cut %d" % first)
            flash.power_on()
            after = flash.image()
            place = "cut %d of %d, %s" % (first, operations, "torn" if torn else "clean")
            count = _recovered(flash, recover, check, done, place)
            cuts += 1
            for second in range(first % second_every, count, second_every):
                flash.restore(after)
                if not _cut(flash, second, torn, None, recover, False):
                    continue
                flash.power_on()
                _recovered(
                    flash, recover, check, done, "%s, then %d of %d" % (place, second, count)
                )
                cuts += 1
    return cuts


def _operations(flash, ready, action):
    """How many programs and erases the action makes."""
    flash.mount()
    try:
        if ready:
            ready()
        flash.clear_counts()
        action([])
        return flash.programs + flash.erases
    finally:
        flash.unmount()


def _recovered(flash, recover, check, done, place):
    """Recover, check, and return the operations that the recovery made."""
    flash.clear_counts()
    try:
        flash.mount()
    except OSError as error:
        raise AssertionError("%s: does not mount: %r" % (place, error))
    try:
        recovered = recover()
        count = flash.programs + flash.erases
        check(recovered, done)
    except Exception as error:
        sys.print_exception(error)
        raise AssertionError("%s: %r" % (place, error))
    finally:
        flash.unmount()
    return count


def _cut(flash, operation, torn, ready, function, must_notice):
    """Run it with a cut; whether the power went off.

    A writer must not take the errors for success; a recovery may do without a write.
    """
    flash.mount()
    try:
        if ready:
            ready()
        flash.cut_at(operation, torn)
        function()
    except OSError:
        if not flash.off:
            raise
        return True
    finally:
        flash.unmount()
    if flash.off and must_notice:
        raise AssertionError("the writer goes on as if nothing had happened")
    return flash.off


def _mounted(flash, function):
    flash.mount()
    try:
        return function()
    finally:
        flash.unmount()
