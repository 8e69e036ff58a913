"""Labelled datasets: one module per kind, registered in `wowbench.registry.DATASETS`.

A dataset is a `wowbench.datasets.base.Dataset`: its typed fields are its parameters, and `load`
gives `wowbench.datasets.base.LabelledParticles`. Everything after loading reads the form of
`wowbench.datasets.prepared` and draws from it with `wowbench.datasets.splits`.
"""
