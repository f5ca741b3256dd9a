"""Parts of the end-to-end benchmark; python3 standard library only."""
