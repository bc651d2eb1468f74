"""Pages: HTML files that open from a disk, their charts and their pictures."""
