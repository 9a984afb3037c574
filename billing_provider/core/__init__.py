"""What every other folder uses: errors, time, settings, owners, input types."""
