"""Descent schemes that move particles, and optionally class weights."""
