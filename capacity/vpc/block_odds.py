"""Computes how many /28 blocks of a subnet are free if only the number of its single addresses is known.

Every set of ``n`` of the ``N`` open addresses is assumed to be equally likely. ``W`` of the blocks are whole (none of
AWS's five addresses, no reservation); the other ``R = N - 16 W`` open addresses are outside them. Then with
inclusion-exclusion

    P(at least k free) = sum over i >= k of (-1)^(i-k) C(i-1, k-1) C(W, i) C(N - 16 i, n) / C(N, n)

in integers of any size: nothing is simulated or rounded.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import comb, prod

from capacity.plan.constants import PREFIX_SIZE


def expected_free_blocks(whole: int, rest: int, taken: int) -> Fraction:
    """Mean number of free blocks if ``taken`` single addresses can be anywhere. [blocks]

    Parameters
    ----------
    whole : int
        Blocks of 16 open addresses. [blocks]
    rest : int
        Open addresses outside them. [addresses]
    taken : int
        Single addresses in use, at most all that are open. [addresses]

    Notes
    -----
    W · C(N − 16, n) / C(N, n): each block is free with the same chance, sixteen factors (N − n − i) / (N − i).

    Examples
    --------
    A /26 has 59 open addresses, two of its four blocks whole; with one address used, each is free with probability
    43/59.

    >>> expected_free_blocks(whole=2, rest=27, taken=1)
    Fraction(86, 59)
    """
    everything = PREFIX_SIZE * whole + rest
    if not whole or everything - taken < PREFIX_SIZE:
        return Fraction(0)
    free = prod(everything - taken - i for i in range(PREFIX_SIZE))
    return Fraction(whole * free, prod(everything - i for i in range(PREFIX_SIZE)))


def probability_of_free_blocks(whole: int, rest: int, taken: int, at_least: int) -> Fraction:
    """Probability that at least ``at_least`` blocks are free; parameters as in :func:`expected_free_blocks`.

    Examples
    --------
    One address is used in a /26: both blocks stay free if it is one of the 27 outside them.

    >>> probability_of_free_blocks(whole=2, rest=27, taken=1, at_least=2)
    Fraction(27, 59)
    >>> probability_of_free_blocks(whole=2, rest=27, taken=1, at_least=1)
    Fraction(1, 1)
    """
    if at_least <= 0:
        return Fraction(1)
    if at_least > most_free_blocks(whole, rest, taken):
        return Fraction(0)
    if at_least <= certain_free_blocks(whole, taken):
        return Fraction(1)
    ways = _ways(whole, rest, taken)
    signed = 0
    sign = coefficient = 1
    for i in range(at_least, len(ways)):
        signed += sign * coefficient * ways[i]
        coefficient = coefficient * i // (i - at_least + 1)  # C(i, k-1) from C(i-1, k-1)
        sign = -sign
    return Fraction(signed, ways[0])


@lru_cache(maxsize=4)  # the numbers of a /16 use about 30 MB
def _ways(whole: int, rest: int, taken: int) -> tuple[int, ...]:
    """C(W, i) · C(N − 16 i, n) for i = 0, 1, …: ways in which i chosen blocks stay free, over all choices."""
    left = PREFIX_SIZE * whole + rest
    choices, sets = 1, comb(left, taken)
    found = [sets]
    for i in range(most_free_blocks(whole, rest, taken)):
        choices = choices * (whole - i) // (i + 1)
        # C(N - 16, n) from C(N, n): sixteen small factors instead of a new binomial of a thousand digits
        sets = (
            sets
            * prod(range(left - taken - PREFIX_SIZE + 1, left - taken + 1))
            // prod(range(left - PREFIX_SIZE + 1, left + 1))
        )
        left -= PREFIX_SIZE
        found.append(choices * sets)
    return tuple(found)


def certain_free_blocks(whole: int, taken: int) -> int:
    """Blocks that are free for any positions of the addresses: each breaks up at most one block. [blocks]"""
    return max(whole - taken, 0)


def most_free_blocks(whole: int, rest: int, taken: int) -> int:
    """Blocks that are free for the best positions of the addresses: outside the whole blocks first. [blocks]"""
    return max(min(whole, (PREFIX_SIZE * whole + rest - taken) // PREFIX_SIZE), 0)


def likely_free_blocks(whole: int, rest: int, taken: int, probability: Fraction) -> int:
    """The most blocks that are free with at least this probability. [blocks]

    >>> likely_free_blocks(whole=2, rest=27, taken=1, probability=Fraction(95, 100))
    1
    """
    low, high = certain_free_blocks(whole, taken), most_free_blocks(whole, rest, taken)
    if probability >= 1:
        return low
    # Search outward from the quantile of a normal distribution: a few sums instead of a dozen.
    guess, step = _normal_guess(whole, rest, taken, probability), 1
    while low < high:
        guess = min(max(guess, low + 1), high)
        if probability_of_free_blocks(whole, rest, taken, guess) >= probability:
            low, guess = guess, guess + step
        else:
            high, guess = guess - 1, guess - step
        step = step * 2 if high - low > 4 * step else max((high - low + 1) // 2, 1)
    return low


def _normal_guess(whole: int, rest: int, taken: int, probability: Fraction) -> int:
    """The quantile if the number of free blocks were normally distributed. [blocks]"""
    from statistics import NormalDist

    everything = PREFIX_SIZE * whole + rest
    mean = expected_free_blocks(whole, rest, taken)
    if whole < 2 or everything < 2 * PREFIX_SIZE:
        return int(mean)
    pairs = Fraction(whole * (whole - 1) * comb(everything - 2 * PREFIX_SIZE, taken), comb(everything, taken))
    deviation = max(float(pairs + mean - mean * mean), 0.0) ** 0.5
    return int(float(mean) + NormalDist().inv_cdf(1 - float(probability)) * deviation)
