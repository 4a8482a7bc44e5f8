/**
 * A name for somebody's first instance, made of what they are called: `ada-lovelace`, and with a number where that is
 * taken. `faultOf` says why a name cannot be had. Null when nothing comes to mind.
 */
export async function suggestName(
  owner: { name: string | null; email: string },
  faultOf: (subdomain: string) => Promise<string | null>,
): Promise<string | null> {
  const words = [owner.email.split('@')[0] ?? '', owner.name ?? '']
    .map(labelOf)
    .filter(label => label.length >= 3)
  for (const word of words) {
    for (let turn = 1; turn <= 20; turn++) {
      const label = turn === 1 ? word : `${word}-${turn}`
      if ((await faultOf(label)) === null) return label
    }
  }
  return null
}

/** What is left of a text in a DNS label: `José O’Neill` becomes `jose-o-neill`. */
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
