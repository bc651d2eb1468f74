"""What every training needs: going on after a stop, Ctrl-C, and where a driver comes from."""
