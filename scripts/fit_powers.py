"""Print the constants of csrc/core/powers.h: the magic numbers of the starts and the correction polynomials.

A float's bits, read as an integer, are roughly a logarithm: `magic - bits / k` are the bits of a rough x^(-1/k) =: r.
With e = 1 - x r^k the exact value is r (1 - e)^(-1/k), so a short polynomial in e finishes the work. The magic number
is chosen to make the largest |e| smallest; the polynomial interpolates ((1 - e)^(-q) - 1) / e at Chebyshev nodes of
the range that e then has (close to the minimax one). Run: python scripts/fit_powers.py
"""

import numpy as np

DEGREE = 5
# name, root k of the start, exponent q that the correction has to supply
POWERS = (("cube root", 3, 2 / 3), ("fifth root", 5, 3 / 5), ("sixth root", 6, 1 / 6))


def residual(magic: int, k: int) -> np.ndarray:
    """Return e = 1 - x r^k over one full period of the start's error, k octaves."""
    x = np.exp2(np.linspace(0, k, 200_001)).astype(np.float32)
    bits = np.float32(magic) - x.view(np.int32).astype(np.float32) * np.float32(1 / k)
    r = bits.astype(np.int32).view(np.float32)
    return 1 - x.astype(np.float64) * r.astype(np.float64) ** k


def best_magic(k: int) -> int:
    """Search the magic number with the smallest largest |e| by ternary search (the maximum is unimodal in it)."""
    # Exponent bias 127 in front of 23 fraction bits; the linear logarithm is off by up to 0.09 of an octave.
    centre = round(127 * (1 + 1 / k) * 2**23)
    low, high = centre - 2**20, centre
    while high - low > 128:
        left, right = low + (high - low) // 3, high - (high - low) // 3
        worse = np.abs(residual(left, k)).max() > np.abs(residual(right, k)).max()
        low, high = (left, high) if worse else (low, right)
    return round((low + high) / 256) * 128  # a float holds multiples of 128 there


def correction(low: float, high: float, q: float) -> np.ndarray:
    """Fit p, lowest power first, so that 1 + e p(e) = (1 - e)^(-q) on [low, high]."""
    nodes = np.cos((np.arange(DEGREE + 1) + 0.5) * np.pi / (DEGREE + 1))
    e = (low + high) / 2 + (high - low) / 2 * nodes
    return np.polynomial.polynomial.polyfit(e, ((1 - e) ** -q - 1) / e, DEGREE)


def main() -> None:
    for name, k, q in POWERS:
        magic = best_magic(k)
        e = residual(magic, k)
        coefficients = correction(e.min(), e.max(), q)
        error = np.abs((1 + e * np.polynomial.polynomial.polyval(e, coefficients)) * (1 - e) ** q - 1).max()
        print(f"{name}: magic 0x{magic:08x}, e in [{e.min():.3f}, {e.max():.3f}], relative error {error:.1e}")
        print("  " + ", ".join(f"{value:.9f}f" for value in coefficients))


if __name__ == "__main__":
    main()
