"""Benchmarks: two things compared in one process, in turn, on the same cores; median and spread.

Time is CPU time where one core works (environment, networks), wall time where several do (training).
"""
