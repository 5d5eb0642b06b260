"""Whether, when and on which channel a person can be contacted."""
