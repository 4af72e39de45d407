"""The components: signatures that KFP reads, each of which calls one step within Boxtune's image."""
