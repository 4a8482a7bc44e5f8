/**
 * Whether two e-mail addresses are the same one, in whatever case they are written. The letters of ASCII only: others
 * have a lower case that is another letter, such as the sign of the kelvin a `k`.
 */
export function sameAddress(one: string, other: string): boolean {
  return lowerCase(one) === lowerCase(other)
}

function lowerCase(address: string): string {
  return address.replace(/[A-Z]+/g, letters => letters.toLowerCase())
}
