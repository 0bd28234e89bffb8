"""`steward status`: what waits, what is open, and what was given up."""
