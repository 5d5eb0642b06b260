"""The collector: accepts events over HTTP and writes them to the activity stream."""
