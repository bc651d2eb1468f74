"""`lanekeep record`: an expert's or a person's drives as demonstrations."""
