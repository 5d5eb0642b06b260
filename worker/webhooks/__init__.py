"""The sender of webhooks: posts the entries of the outcome feed to the shop."""
