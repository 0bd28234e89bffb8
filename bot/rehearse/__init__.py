"""`steward rehearse`: what a config would have done, had it been in force."""
