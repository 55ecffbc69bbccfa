"""What the README claims, measured by commands that anybody can run."""
