"""Whether, when and on which channel a person may be contacted."""
