"""The overview of a check-in, as `steward checkin` says it and as a chart."""
