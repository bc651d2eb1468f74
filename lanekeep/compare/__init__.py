"""`lanekeep compare`: what two drivers look at, measured, on one page."""
