"""`steward explain`: what the rules said about somebody, and what was done."""
