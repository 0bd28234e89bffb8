"""`steward doctor`: what is wrong with an installation, and where to click."""
