"""What is wrong with an Experiment before any training: by Katib's rules, by what Katib does, by the config's types."""
