"""`python -m forge` is the command."""

from forge.cli import main

main()
