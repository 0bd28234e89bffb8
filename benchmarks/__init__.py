"""What the bot is measured with: figures as ratios to references in the same run (design §11), never timed tests."""
