const none: readonly string[] = []

/** Which subdomain each of the customers' own host names leads to. */
export class HostNames {
  readonly #subdomains = new Map<string, string>()
  readonly #named = new Map<string, readonly string[]>()

  /** Sets the names of one subdomain. A name that another subdomain has leads here from now on. */
  set(subdomain: string, hosts: readonly string[] = none): void {
    const before = this.#named.get(subdomain) ?? none
    if (hosts === before) return
    for (const host of before) {
      if (this.#subdomains.get(host) === subdomain) this.#subdomains.delete(host)
    }
    for (const host of hosts) this.#subdomains.set(host, subdomain)
    if (hosts.length > 0) this.#named.set(subdomain, hosts)
    else this.#named.delete(subdomain)
  }

  /** All of them. */
  names(): string[] {
    return [...this.#subdomains.keys()]
  }

  /** `host` is in lower case, without a port and without a dot at its end. */
  subdomainOf(host: string): string | undefined {
    return this.#subdomains.get(host)
  }
}
