"""Compare: what two drivers look at, and what that is worth, on one page."""
