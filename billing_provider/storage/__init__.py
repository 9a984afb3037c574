"""Private files, bounded JSON, and models of Pulumi's own files."""
