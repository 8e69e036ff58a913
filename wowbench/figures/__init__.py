"""Figures drawn from tidy scores and flowed images."""
