"""Measurements that anyone can repeat, each printing a table. None of them is a test."""
