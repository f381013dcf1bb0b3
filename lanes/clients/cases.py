"""Runs test cases one after the other: a line a case, and an exit code that tells whether all of them passed."""

import sys
import time
import traceback

_cases = []


def case(function):
    """Adds a case; its docstring is its name."""
    _cases.append(function)
    return function


def expect(actual, wanted, what="value"):
    """Fails the case unless the two are equal."""
    if actual != wanted:
        raise AssertionError(f"{what}: expected {wanted!r}, got {actual!r}")


def refused(call, code_of, wanted):
    """Fails the case unless the call raises the error with that code."""
    try:
        result = call()
    except Exception as error:
        code = code_of(error)
        if code == wanted:
            return error
        raise AssertionError(f"expected the error {wanted!r}, got {code!r}: {error}") from error
    raise AssertionError(f"expected the error {wanted!r}, got {result!r}")


def until(condition, what, seconds=30):
    """Calls `condition`, which waits a little itself, until it is true."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")


def expect_soon(call, wanted, what="value"):
    """Fails the case unless `call` answers what is wanted within 20 s: Apache Kafka applies changes after its answer."""
    deadline = time.monotonic() + 20
    while (actual := call()) != wanted and time.monotonic() < deadline:
        time.sleep(0.02)
    expect(actual, wanted, what)


def run_cases():
    """Runs every case, or those whose name holds the last argument; ends the process."""
    wanted = sys.argv[2] if len(sys.argv) > 2 else ""
    chosen = [function for function in _cases if wanted in function.__doc__]
    failed = 0
    for function in chosen:
        begun = time.monotonic()
        try:
            function()
            print(f"ok {function.__doc__} ({round((time.monotonic() - begun) * 1000)} ms)", flush=True)
        except Exception as error:
            failed += 1
            # The line of the case, not of what it calls.
            line = next((f.lineno for f in traceback.extract_tb(error.__traceback__) if f.name != "run_cases"), 0)
            print(f"FAILED {function.__doc__}: {type(error).__name__}: {error} (line {line})", flush=True)
    print(f"{len(chosen) - failed} passed, {failed} failed", flush=True)
    sys.exit(1 if failed or not chosen else 0)
