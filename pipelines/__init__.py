"""Boxtune on Kubeflow Pipelines: components, each a thin cover of a step, and the pipelines that are made of them."""
