import type { Concern } from '../../src/kernel/concern.ts'
import { domainLosing, domainLost } from '../../views/mail/domain-emails.tsx'
import type { AccountDirectory } from '../auth/contract.ts'
import type { MailService } from '../mail/contract.ts'
import type { InstanceSummary, ProvisionerService } from '../provisioner/contract.ts'
import { type Site, siteUrl } from '../site/contract.ts'
import type { Domains } from './domains.ts'
import { proofLabel } from './names.ts'

/** Reports domains whose proof is gone: to the owner by one email each, to the operator for as long as it is so. */
export function createNotices(parts: {
  domains: Domains
  graceMs: number
  provisioner: Pick<ProvisionerService, 'byId'>
  mail: MailService
  accounts: Pick<AccountDirectory, 'get'>
  site: Site
}) {
  const { domains, graceMs, provisioner, mail, accounts, site } = parts
  const addressOf = ({ accountId, ownerEmail }: InstanceSummary): string | null => {
    if (accountId === null) return ownerEmail
    const account = accounts.get(accountId)
    return account && account.closedAt === null && account.email ? account.email : null
  }
  /** What concerns people: not the domains of removed instances. */
  const troubled = () =>
    domains.in(['losing', 'lost']).flatMap(domain => {
      const instance = provisioner.byId(domain.instanceId)
      return instance && instance.desired !== 'deleted' ? [{ domain, instance }] : []
    })

  return {
    /** May run as often as you like. */
    send(): void {
      for (const { domain, instance } of troubled()) {
        const to = addressOf(instance)
        if (!to) continue
        const { subdomain } = instance
        const facts = {
          ...{ subdomain, domain: domain.name, record: `${proofLabel}.${domain.name}`, value: domain.proof },
          page: `${siteUrl(site, 'control')}/instances/${subdomain}/domains`,
        }
        const email =
          domain.state === 'losing'
            ? domainLosing({ ...facts, stopsAt: domain.since + graceMs })
            : domainLost({ ...facts, url: siteUrl(site, subdomain) })
        mail.send({ key: `domain-${domain.state}:${domain.id}:${domain.since}`, to, email })
      }
    },
    concerns: (): Concern[] =>
      troubled()
        .filter(({ domain }) => domain.state === 'losing')
        .map(({ domain: { id, name }, instance: { subdomain } }) => ({
          kind: 'domain-losing',
          subject: id,
          subdomain,
          summary: `${name}, a domain of ${subdomain}, has lost its proof`,
          detail: `There is no TXT record at ${proofLabel}.${name} any more. Requests still reach the instance. Its owner was sent an email.`,
          urgency: 'notice' as const,
          path: `/admin/instances/${subdomain}/domains`,
        })),
  }
}
