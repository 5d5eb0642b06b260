"""The outcome feed: what the shop learns about outreaches, and when it moves to the stream that the shop reads."""
