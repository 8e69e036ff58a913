"""Wasserstein over Wasserstein gradient flows of labelled datasets, as a benchmark suite.

Importing the package imports no torch, so that workflows and completions stay quick; the
numerical modules are imported where they are used.
"""

from importlib.metadata import version

__version__ = version("wowbench")
