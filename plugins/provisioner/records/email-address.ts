/**
 * Compares two email addresses without regard to case. Folds only ASCII letters: some other characters have a
 * lower case that is a different letter, such as the kelvin sign, which becomes `k`.
 */
export function sameAddress(one: string, other: string): boolean {
  return lowerCase(one) === lowerCase(other)
}

function lowerCase(address: string): string {
  return address.replace(/[A-Z]+/g, letters => letters.toLowerCase())
}
