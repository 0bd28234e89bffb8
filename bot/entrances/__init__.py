"""`steward entrances`: what each entrance has, how fast it goes, and what is wrong."""
