"""What every training needs: a checkpoint to go on from (run.py), Ctrl-C, and where a driver comes from."""
