"""Kernels between class distributions by name, one file each.

Kernels of Bonet, Vauthier and Korba, *Flowing Datasets with Wasserstein over Wasserstein Gradient
Flows* (ICML 2025), section 4 and appendix D.2, are those of ``wowbench list kernels``.
"""
