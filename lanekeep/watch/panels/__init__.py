"""What `lanekeep watch` draws: road, circuit, effects, plots and map."""
