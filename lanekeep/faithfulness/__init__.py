"""Saliency maps held against the causal effects that they claim to show."""
