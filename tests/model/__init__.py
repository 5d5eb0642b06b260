"""The protocol of an attempt as a model that can be searched: python -m tests.model --help."""
