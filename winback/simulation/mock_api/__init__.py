"""A mock of Yuno's API: checks every request against the contract, and misbehaves on demand."""
