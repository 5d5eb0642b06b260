"""A stand-in for Yuno's API: holds every request against the contract, and misbehaves when told to."""
