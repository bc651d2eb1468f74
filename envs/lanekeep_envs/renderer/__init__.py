"""One instant to one picture."""
