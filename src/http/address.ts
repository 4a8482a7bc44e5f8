import { BlockList, isIP } from 'node:net'

export interface AddressSet {
  has(address: string): boolean
  /** Invalid entries, each named. */
  faults: string[]
}

/** A set of addresses and CIDR ranges. */
export function addressSet(entries: readonly string[]): AddressSet {
  const list = new BlockList()
  const faults: string[] = []
  for (const entry of entries) {
    const [address = '', prefix, ...rest] = entry.split('/')
    const family = isIP(address)
    const type = family === 6 ? 'ipv6' : 'ipv4'
    const bits = family === 6 ? 128 : 32
    const length = prefix === undefined ? bits : /^\d{1,3}$/.test(prefix) ? Number(prefix) : -1
    if (family === 0 || rest.length > 0 || length < 0 || length > bits) {
      faults.push(`"${entry}" is not an address or range such as 10.0.0.1 or 10.0.0.0/8`)
    } else list.addSubnet(address, length, type)
  }
  return {
    faults,
    has: address => {
      const plain = plainAddress(address)
      const family = isIP(plain)
      return family !== 0 && list.check(plain, family === 6 ? 'ipv6' : 'ipv4')
    },
  }
}

/** Removes the IPv4-in-IPv6 prefix of a dual-stack listener, and the zone of a link-local address. */
export function plainAddress(address: string): string {
  if (!address.includes(':') && !address.includes('%')) return address
  const plain = address.replace(/%.*$/, '')
  return /^::ffff:[\d.]+$/i.test(plain) ? plain.slice(7) : plain
}

/**
 * Parses an entry of `X-Forwarded-For`, which proxies write in several forms: alone, with a port, in brackets, in
 * quotes. Null for an invalid one.
 */
function forwardedAddress(entry: string): string | null {
  const text = entry.trim().replace(/^"(.*)"$/, '$1')
  const bracketed = /^\[([^\]]+)\](?::\d{1,5})?$/.exec(text)
  const address = bracketed?.[1] ?? /^([\d.]+):\d{1,5}$/.exec(text)?.[1] ?? text
  const plain = plainAddress(address)
  return isIP(plain) === 0 ? null : plain
}

/**
 * Returns the client's address: the peer, or if the peer is a configured proxy, the right-most address of
 * `X-Forwarded-For` that is not a proxy's. Addresses further left were written by the client and prove nothing.
 */
export function clientAddress(peer: string, forwardedFor: string | undefined, proxies: AddressSet): string {
  let client = plainAddress(peer)
  const chain = (forwardedFor ?? '').split(',')
  while (proxies.has(client)) {
    const next = forwardedAddress(chain.pop() ?? '')
    if (next === null) break
    client = next
  }
  return client
}

/** A Host header: a name or an address, and perhaps a port. */
export const hostForm = /^(\[[0-9a-f:.]+\]|[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?)(:\d{1,5})?$/i

/** True if the hostname of a URL is this machine. The whole name must match: anyone can register `127.example.com`. */
export function isLoopback(hostname: string): boolean {
  return /^(localhost|.+\.localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname)
}

/** The key for rate limits: one household or server has a whole IPv6 /64. */
export function addressGroup(address: string): string {
  const plain = plainAddress(address)
  return isIP(plain) === 6 ? prefix6(plain, 4) : plain
}

/** The surrounding network, about the size of a provider's: an IPv4 /16, an IPv6 /32. */
export function addressNetwork(address: string): string {
  const plain = plainAddress(address)
  if (isIP(plain) === 6) return prefix6(plain, 2)
  return isIP(plain) === 4 ? `${plain.split('.').slice(0, 2).join('.')}.0.0/16` : plain
}

function prefix6(plain: string, length: number): string {
  // A URL normalises every spelling of an address.
  const [head = '', tail] = new URL(`http://[${plain}]`).hostname.slice(1, -1).split('::')
  const groups = head === '' ? [] : head.split(':')
  const after = tail ? tail.split(':') : []
  while (groups.length + after.length < 8) groups.push('0')
  return `${[...groups, ...after].slice(0, length).join(':')}::/${length * 16}`
}
