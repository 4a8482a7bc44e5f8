import { addressSet } from '../../src/http/address.ts'

/** Names for ranges that operators would otherwise look up and type. */
export const proxyPresets = {
  /**
   * What Cloudflare connects from: https://www.cloudflare.com/ips-v4 and https://www.cloudflare.com/ips-v6, compared with
   * public copies of both lists on 2026-11-30.
   */
  cloudflare: [
    '173.245.48.0/20',
    '103.21.244.0/22',
    '103.22.200.0/22',
    '103.31.4.0/22',
    '141.101.64.0/18',
    '108.162.192.0/18',
    '190.93.240.0/20',
    '188.114.96.0/20',
    '197.234.240.0/22',
    '198.41.128.0/17',
    '162.158.0.0/15',
    '104.16.0.0/13',
    '104.24.0.0/14',
    '172.64.0.0/13',
    '131.0.72.0/22',
    '2400:cb00::/32',
    '2606:4700::/32',
    '2803:f800::/32',
    '2405:b500::/32',
    '2405:8100::/32',
    '2a06:98c0::/29',
    '2c0f:f248::/32',
  ],
  /** Docker's default bridge, on which the engine puts containers that name no network. Instances have a network of their own. */
  docker: ['172.17.0.0/16'],
  loopback: ['127.0.0.0/8', '::1'],
  /** RFC 1918 and RFC 4193. */
  private: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
} as const satisfies Record<string, readonly string[]>

const names = Object.keys(proxyPresets).join(', ')

/** Addresses and ranges of a list in which presets may stand, and what is wrong with each of the other entries. */
export function trustedProxies(entries: readonly string[]): { ranges: string[]; faults: string[] } {
  const ranges: string[] = []
  const faults: string[] = []
  for (const entry of entries) {
    if (isPreset(entry)) ranges.push(...proxyPresets[entry])
    else if (addressSet([entry]).faults.length === 0) ranges.push(entry)
    else
      faults.push(
        `"${entry}" is not an address or range such as 10.0.0.1 or 10.0.0.0/8, nor one of the names ${names}`,
      )
  }
  return { ranges: [...new Set(ranges)], faults }
}

function isPreset(entry: string): entry is keyof typeof proxyPresets {
  return Object.hasOwn(proxyPresets, entry)
}
