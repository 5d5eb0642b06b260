"""From what shops already send to Winback's events. Pure: headers and bytes in, events out.

One module for each source, listed in `storefronts.registry`.
"""
