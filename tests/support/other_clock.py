"""`python -m tests.support.other_clock SECONDS MODULE ARGUMENT...`: run a program on a host whose clock is wrong."""

import runpy
import sys
import time

if __name__ == "__main__":
    ahead_s, right = float(sys.argv[1]), time.time
    time.time = lambda: right() + ahead_s
    sys.argv = sys.argv[2:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
