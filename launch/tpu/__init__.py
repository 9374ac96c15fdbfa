"""TPU VMs, by gcloud: created, set up, used, and deleted."""
