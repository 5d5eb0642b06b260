"""`winback tune`: from a recording to a recommended threshold for each stage, and the texts and plots about it."""
