"""Everything that is in Redis. Nothing else talks to Redis about sessions or people."""
