"""Panels of `lanekeep watch`: road, circuit, effects, plots and map."""
