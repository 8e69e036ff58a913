"""What every method and every dataset keeps to, a third party's included, as checks to run.

``wowbench check method NAME`` runs them on a registered name, and the suite's own tests on all of
them.
"""
