/**
 * Suggests a name for an owner's instance, from their email address or name: `ada-lovelace`, with a number where that is
 * taken. `faultOf` says why a name is not available. Null when there is no good suggestion.
 */
export async function suggestName(
  owner: { name: string | null; email: string },
  faultOf: (subdomain: string) => Promise<string | null>,
): Promise<string | null> {
  const words = [owner.email.split('@')[0] ?? '', owner.name ?? '']
    .map(labelOf)
    .filter(label => label.length >= 3)
  for (const word of words) {
    for (let number = 1; number <= 20; number++) {
      const label = number === 1 ? word : `${word}-${number}`
      if ((await faultOf(label)) === null) return label
    }
  }
  return null
}

/** Turns a text into a DNS label: `José O’Neill` becomes `jose-o-neill`. */
function labelOf(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/\+.*$/, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/-+/g, '-')
    .slice(0, 40)
    .replace(/^-|-$/g, '')
}
