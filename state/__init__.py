"""All data in Redis. No other package reads or writes sessions and people there."""
