"""What the components do, as plain functions over paths and options; each calls what its command calls; without kfp."""
