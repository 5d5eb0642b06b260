"""`python -m winback`, for those who start other processes with their own interpreter."""

from winback.cli import main

main()
