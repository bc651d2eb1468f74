"""`lanekeep evaluate`: how well drivers keep their lane on roads they have never seen, with intervals."""
