"""E-mail addresses. Nothing is looked up."""

from email_validator import EmailNotValidError, validate_email


def email(text: str) -> str | None:
    """Return an e-mail address in its usual form; None when it is not one. Nothing is looked up."""
    try:
        return validate_email(text, check_deliverability=False).normalized
    except EmailNotValidError:
        return None
