"""`lanekeep watch`: a driver drives, with its neurons beside the road."""
