"""`config.yaml`: read with positions, checked, put into words, and followed while the bot runs."""
