"""Resources and data functions for Pulumi programs."""
