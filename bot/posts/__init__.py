"""`steward posts`: what is planned, and how it will look."""
