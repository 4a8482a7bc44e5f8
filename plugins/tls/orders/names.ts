/** One certificate that the site needs. */
export interface Wanted {
  /** Its first host. Its file and its orders are known by it. */
  name: string
  hosts: readonly string[]
  /** How its hosts are proven to the authority. */
  by: 'http-01' | 'dns-01'
}

/**
 * The certificates that the site needs, the most important ones first. With a wildcard, one is for the site and all instances;
 * without, each has its own. Customers' own domains always do.
 */
export function wantedCertificates(site: {
  domain: string
  wildcard: boolean
  subdomains: readonly string[]
  hosts: readonly string[]
}): Wanted[] {
  const { domain, wildcard, subdomains, hosts } = site
  const alone = (host: string): Wanted => ({ name: host, hosts: [host], by: 'http-01' })
  const own: Wanted[] = wildcard
    ? [{ name: domain, hosts: [domain, `*.${domain}`], by: 'dns-01' }]
    : [`control.${domain}`, domain, ...subdomains.map(each => `${each}.${domain}`)].map(alone)
  return [...own, ...hosts.map(alone)]
}
