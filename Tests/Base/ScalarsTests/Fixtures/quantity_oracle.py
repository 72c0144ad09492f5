#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Apus: Kubernetes in Swift
"""Prints random quantity computations with their outcome: an oracle on Python's big integers.

Arguments: count, seed. Each line has tab-separated fields:
  a, b, factor, scale, text of: a, a+b, a-b, -a, a*factor, a rounded up to scale; whether the product
  fits; whether the rounding is exact; comparison of a and b; value, milli value and scaled value of
  a; quick integer of a or "none"; value and milli value of a-b.
"""

import random
import sys

DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
MAX = 2**63 - 1


def fits(number):
    return -(2**63) <= number <= MAX


def wrap(number):
    return (number + 2**63) % 2**64 - 2**63


def low64(number):
    """Go's big.Int.Int64: the low bits of the magnitude with the sign put on."""
    low = wrap(abs(number) % 2**64)
    return wrap(-low) if number < 0 else low


def cut(number, power):
    """Divides by 10**power away from zero; tells whether that is exact."""
    quotient, rest = divmod(abs(number), 10**power)
    quotient += 1 if rest else 0
    return (-quotient if number < 0 else quotient), rest == 0


class Quantity:
    """number * 10**scale; `wide` tells the big representation from the 64-bit one."""

    def __init__(self, number, scale, family, wide=False, text=None):
        self.number, self.scale, self.family, self.wide, self.kept = number, scale, family, wide, text

    @staticmethod
    def parse(text):
        sign = -1 if text.startswith("-") else 1
        body = text.lstrip("+-")
        digits = ""
        for character in body:
            if character not in "0123456789.":
                break
            digits += character
        suffix = body[len(digits):]
        integer, _, fraction = digits.partition(".")
        integer = integer.lstrip("0")
        number = int("0" + integer + fraction)
        count = max(len(integer), 1) + len(fraction)
        if suffix in BINARY:
            exponent = BINARY[suffix]
            if not fraction and count + exponent * 3 // 10 <= 14:
                kept = text if number % 8 else None
                return Quantity(sign * number * 2**exponent, 0, "binary", text=kept)
            number, scale = number * 2**exponent, -len(fraction)
            family = "binary"
        else:
            family = "decimal" if suffix in DECIMAL else "exponent"
            exponent = DECIMAL[suffix] if suffix in DECIMAL else int(suffix[1:])
            scale = exponent - len(fraction)
            if count <= 18 and scale >= -9:
                canonical = scale % 3 == 0 and integer and not str(number).endswith("000")
                return Quantity(sign * number, scale, family, text=text if canonical else None)
        if number:
            number = number * 10 ** (scale + 9) if scale >= -9 else cut(number, -9 - scale)[0]
            scale = -9
            if family == "binary":
                if number > MAX * 10**9:
                    number, scale = MAX, 0
                elif number < 10**9:
                    family = "decimal"
        else:
            scale = 0
        return Quantity(sign * number, scale, family, wide=True)

    def text(self):
        if self.kept:
            return self.kept
        number, scale = self.number, self.scale
        if number == 0:
            return "0"
        if self.family == "binary":
            whole, exact = (number * 10**scale, True) if scale >= 0 else cut(number, -scale)
            if exact and abs(whole) >= 1024:
                step = 0
                while whole % 1024 == 0:
                    whole //= 1024
                    step += 10
                names = {power: name for name, power in BINARY.items()}
                return str(whole) + names.get(step, "")
        while number % 10 == 0:
            number //= 10
            scale += 1
        while scale % 3:
            number *= 10
            scale -= 1
        if self.family == "exponent":
            return str(number) + (f"e{scale}" if scale else "")
        names = {power: name for name, power in DECIMAL.items()}
        return str(number) + names.get(scale, "")

    def plus(self, other):
        family = other.family if self.number == 0 else self.family
        scale = min(self.scale, other.scale)
        left = self.number * 10 ** (self.scale - scale)
        right = other.number * 10 ** (other.scale - scale)
        if not self.wide and not other.wide:
            if other.number == 0:
                return Quantity(self.number, self.scale, family)
            if self.number == 0:
                return Quantity(other.number, other.scale, family)
            if fits(left) and fits(right) and fits(left + right):
                return Quantity(left + right, scale, family)
        return Quantity(left + right, scale, family, wide=True)

    def negated(self):
        return Quantity(-self.number, self.scale, self.family, self.wide)

    def times(self, factor):
        product = self.number * factor
        if not self.wide:
            if self.number == 0:
                return Quantity(0, self.scale, self.family), True
            if factor == 0:
                return Quantity(0, 0, self.family), True
            refused = factor == -(2**63) and self.number != 1
            whole = fits(product * 10 ** max(self.scale, 0))
            whole = whole and (self.scale >= 0 or product % 10**-self.scale == 0)
            if fits(product) and whole and not refused:
                return Quantity(product, self.scale, self.family), True
        return Quantity(product, self.scale, self.family, wide=True), fits(product)

    def rounded(self, scale):
        if not self.wide and self.scale >= scale:
            return self, True
        if self.scale >= scale:
            return Quantity(self.number * 10 ** (self.scale - scale), scale, self.family, True), True
        number, exact = cut(self.number, scale - self.scale)
        return Quantity(number, scale, self.family, self.wide), exact

    def compared(self, other):
        scale = min(self.scale, other.scale)
        left = self.number * 10 ** (self.scale - scale)
        right = other.number * 10 ** (other.scale - scale)
        return (left > right) - (left < right)

    def scaled(self, scale):
        power = self.scale - scale
        if not self.wide:
            if power < 0:
                return cut(self.number, -power)[0]
            product = self.number * 10**power
            return product if fits(product) else wrap(product) if power in (1, 2, 3, 6, 9) else 0
        if power == 0:
            return low64(self.number)
        if power > 0:
            return wrap(low64(self.number) * (10**power if power <= 18 else -(2**63)))
        if self.number < MAX and -power < 19:
            number = low64(self.number)
            quotient = abs(number) // 10**-power * (-1 if number < 0 else 1)
            return wrap(quotient + (1 if number % 10**-power else 0))
        return wrap(low64(self.number // 10**-power) + (1 if self.number % 10**-power else 0))

    def quick(self):
        if self.wide or self.scale < 0:
            return "none"
        product = self.number * 10**self.scale
        return str(product) if fits(product) else "none"


def sample():
    integer = str(random.randrange(10 ** random.randrange(1, random.choice([4, 8, 24]))))
    if random.random() < 0.3:
        integer = str(int(integer) * random.choice([8, 1024, 1000, 10**6]))
    if random.random() < 0.3:
        integer += "." + str(random.randrange(10 ** random.randrange(1, 13))).zfill(random.randrange(1, 12))
    suffix = random.choice(list(DECIMAL) + list(BINARY) + ["e%d" % random.randrange(-15, 30)])
    return random.choice(["", "", "-", "+"]) + integer + suffix


def main():
    count, seed = int(sys.argv[1]), int(sys.argv[2])
    random.seed(seed)
    for _ in range(count):
        first, second = sample(), sample()
        if random.random() < 0.05:
            first = random.choice(["0", "0Ki", "0e3", "0m"])
        factor = random.choice(
            [0, 1, -1, 2, 3, 1000, 1024, random.randrange(-(10**9), 10**9), random.randrange(-(2**63), 2**63)]
        )
        scale = random.choice([-9, -6, -3, 0, 3, 6, 9, -2, 5])
        a, b = Quantity.parse(first), Quantity.parse(second)
        product, product_fits = a.times(factor)
        rounded, exact = a.rounded(scale)
        difference = a.plus(b.negated())
        fields = [
            first, second, factor, scale, a.text(), a.plus(b).text(), difference.text(),
            a.negated().text(), product.text(), rounded.text(), int(product_fits), int(exact),
            a.compared(b), a.scaled(0), a.scaled(-3), a.scaled(scale), a.quick(),
            difference.scaled(0), difference.scaled(-3),
        ]
        print("\t".join(str(field) for field in fields))


if __name__ == "__main__":
    main()
