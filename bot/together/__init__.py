"""What the processes of one installation share beside the database: a token, rate limits, and wake-ups, in Redis."""
