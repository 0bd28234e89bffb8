"""The platform's HTTP API, one file per family of endpoints."""
