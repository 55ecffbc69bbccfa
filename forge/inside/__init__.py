"""Programs that eval.sh carries into images: standard library only, on every Python since 3.6."""
