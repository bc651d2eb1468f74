"""`lanekeep study confusion`: does what drivers look at betray a coincidence that they learned, before it is gone?"""
