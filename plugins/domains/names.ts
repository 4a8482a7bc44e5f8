import { isIP } from 'node:net'
import { domainToASCII, domainToUnicode } from 'node:url'
import { labelOf, type Site } from '../site/contract.ts'

/** The name below a domain whose TXT record proves it. */
export const proofLabel = '_longhouse'
/** A host name has at most 253 characters, and the name of the proof is longer by its label and a dot. */
const longestName = 253 - proofLabel.length - 1
const label = /^(?!-)[a-z0-9-]{1,63}(?<!-)$/

/**
 * Reads the host name that a customer typed. Case and a dot at the end make no difference; letters beyond ASCII become their ASCII
 * form (UTS 46). Otherwise returns why it cannot be one, in words that follow the name of the field.
 */
export function readDomain(site: Site, typed: string): { name: string } | { fault: string } {
  const text = typed.trim().replace(/\.$/, '')
  if (text === '') return wrong('not empty')
  if (/[/\\?#@\s]|:\/\//.test(text)) return wrong('without a scheme or a path')
  if (isIP(text.replace(/^\[(.*)\]$/, '$1')) !== 0) return wrong('not an IP address')
  if (text.includes(':')) return wrong('without a port')
  // An escape would be read as what it stands for.
  if (text.includes('%')) return wrong(onlyLetters)
  if (text.includes('*')) return wrong('without *')
  const name = domainToASCII(text)
  if (isIP(name) !== 0) return wrong('not an IP address')
  const labels = name.split('.')
  if (name === '' || labels.some(each => !label.test(each))) return wrong(onlyLetters)
  const odd = labels.find(each => each.startsWith('xn--') && !isEncoded(each))
  if (odd !== undefined) return wrong(`and "${odd}" stands for no letters (Punycode)`)
  if (labels.length < 2) return wrong('with at least two parts')
  if (name.length > longestName) return { fault: `must have at most ${longestName} characters` }
  if (labelOf(site, name) !== null)
    return { fault: `must not be ${site.domain} or a name below it: this site gives those out itself` }
  return { name }
}

const onlyLetters = 'with only letters, digits and hyphens between its dots'

/** Whether a label with `xn--` is the one ASCII form of other letters. Node leaves one that cannot be decoded as it is. */
function isEncoded(label: string): boolean {
  const letters = domainToUnicode(label)
  return letters !== label && domainToASCII(letters) === label
}

function wrong(what: string): { fault: string } {
  return { fault: `must be a host name such as jobs.example.org, ${what}` }
}
