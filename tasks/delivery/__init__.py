"""One attempt to contact one person, from the request's body to the recorded outcome."""
