"""Studies: questions that take many trainings, each answered by one command that goes on where it was stopped.

confusion       does what drivers look at betray that they learned a coincidence, before it is gone?
"""
