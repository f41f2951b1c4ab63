"""Random rasters, damaged rasters and random options against `nirtrans colorize`, each case named by a number.

A case ends in a result that agrees with an oracle, or in one line and exit code 2 or 3; anything else is a finding:
another exception, a crash, a hang, memory without bound, something under the final name, colours that are wrong.

    python -m tests.fuzz --count 2000             # from the root of the repository
    python -m tests.fuzz --first 417 --count 1    # one case again
    pytest tests/fuzz --fuzz 500
"""
