"""The program that a person runs: command line, operations on stored data, and the simulation."""
