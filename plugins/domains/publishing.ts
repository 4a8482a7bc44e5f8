import type { ProvisionerService } from '../provisioner/contract.ts'
import type { RouterService } from '../router/contract.ts'
import type { Domains } from './domains.ts'

/** Tells the router which domains lead to which instance. Call `publish` after every change, and now and then. */
export function createPublishing(parts: {
  domains: Domains
  provisioner: Pick<ProvisionerService, 'byId'>
  router: Pick<RouterService, 'setRule'>
  changed(subdomain: string): void
}) {
  const { domains, provisioner, router, changed } = parts
  /** What the router has, by subdomain. */
  const given = new Map<string, string>()

  return {
    publish(): void {
      const wanted = new Map<string, string[]>()
      for (const { instanceId, name } of domains.in(['active', 'losing'])) {
        const instance = provisioner.byId(instanceId)
        // A removed instance keeps its domains for its return; meanwhile they lead nowhere.
        if (!instance || instance.desired === 'deleted') continue
        wanted.set(instance.subdomain, [...(wanted.get(instance.subdomain) ?? []), name])
      }
      // First those that lose names: another one may have got them.
      const gone = [...given.keys()].filter(subdomain => !wanted.has(subdomain))
      for (const subdomain of [...gone, ...wanted.keys()]) {
        const hosts = wanted.get(subdomain) ?? []
        const words = hosts.join(' ')
        if ((given.get(subdomain) ?? '') === words) continue
        if (hosts.length > 0) given.set(subdomain, words)
        else given.delete(subdomain)
        router.setRule(subdomain, 'hosts', hosts.length > 0 ? hosts : null)
        changed(subdomain)
      }
    },
    /** The domains that lead to an instance now, by name. */
    active: (): string[] => [...given.values()].flatMap(words => words.split(' ')).sort(),
  }
}
