"""Which trial comes next: policies behind one interface, with Katib's names and settings for them.

A policy is given the problem and the trials so far, and answers with a suggestion: a pure function of them and the
seed, so that the same code serves a journal, a run that goes on, and a service that is told all trials at each request.
"""
