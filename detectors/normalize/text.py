"""Names and other short texts."""


def one_line(text: str) -> str:
    """Return a text with every run of white space and control characters as one space."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
