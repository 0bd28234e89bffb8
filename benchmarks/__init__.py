"""What the bot is measured with: figures as ratios to references in the same run, never timed tests."""
