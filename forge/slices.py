"""Slices of repositories by hash: buckets to build in, samples that nest."""

import polars as pl

BUCKETS = 64
# The finaliser of splitmix64 (Steele, Lea and Flood 2014). Not `Expr.hash`: it may change between
# Polars releases, and a bucket must not.
MIX = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))


def bucket_of(repository_id: pl.Expr) -> pl.Expr:
    """Which of the 64 buckets a repository falls into.

    >>> pl.select(bucket_of(pl.lit(1))).item()
    21
    """
    return (mixed(repository_id) // 2**58).cast(pl.Int64)


def in_sample(repository_id: pl.Expr, share: float) -> pl.Expr:
    """Whether a repository is in a share (0 to 1) of all; a larger share holds a smaller one."""
    return mixed(repository_id) // 2**11 < int(share * 2**53)


def mixed(number: pl.Expr) -> pl.Expr:
    """An integer's 64 bits, well stirred."""
    bits = number.cast(pl.Int64).reinterpret(signed=False)
    for shift, factor in MIX:
        bits = (bits ^ (bits // 2**shift)) * pl.lit(factor, pl.UInt64)
    return bits ^ (bits // 2**31)
