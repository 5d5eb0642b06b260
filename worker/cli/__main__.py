"""`python -m worker.cli`, for those who start other processes with their own interpreter."""

from worker.cli import main

main()
