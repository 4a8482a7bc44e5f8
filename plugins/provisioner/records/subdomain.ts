import { z } from 'zod'

/** Names that customers of a site would take for the site itself, or that mail and browsers give a meaning of their own. */
const reserved = new Set(
  `abuse account accounts admin administrator api app assets auth autoconfig autodiscover billing cdn checkout console
  control dashboard docs ftp health help hostmaster imap internal isatap localhost localdomain login logout longhouse
  mail metrics mta-sts noreply ns1 ns2 oauth operator pop portal postmaster proxy register root router security signin
  signup smtp static status support system webhook webhooks webmail webmaster wpad www`.split(/\s+/),
)

/** One lowercase DNS label that a customer may have. Each rule has its own words, and the first one that is broken is reported. */
export const subdomainSchema = z
  .string('must be a subdomain such as "acme"')
  .superRefine((name, context) => {
    const fault = subdomainFault(name)
    if (fault) context.addIssue({ code: 'custom', message: fault })
  })
  .meta({
    description: 'One lower-case DNS label',
    minLength: 3,
    maxLength: 63,
    pattern: '^[a-z0-9]([a-z0-9-]*[a-z0-9])$',
  })

/** What is wrong with a subdomain, in words; null when it may be used. */
export function subdomainFault(name: string): string | null {
  if (name.length < 3 || name.length > 63) return 'must have 3 to 63 characters'
  if (!/^[a-z0-9-]+$/.test(name)) return 'may contain only lowercase letters a to z, digits and hyphens'
  if (name.startsWith('-') || name.endsWith('-')) return 'must begin and end with a letter or digit'
  if (name.startsWith('xn--') || name.slice(2, 4) === '--')
    return 'must not be an encoded name (no "--" in third place)'
  if (reserved.has(name)) return `"${name}" is reserved; choose another name`
  return null
}
