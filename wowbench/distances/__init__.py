"""Distances between labelled datasets by name, one file each.

``wowbench list distances`` has their formulas in one line each. All values are squared: what
directions estimate without bias is a mean of squared distances, of which the root has no error of
its own near 0 and does not exist where rounding or chance makes a value negative.
"""
