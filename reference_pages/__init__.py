"""The generated parts of `docs/reference/`: cog calls these functions, and `make check` compares the pages."""
