import { Resolver } from 'node:dns/promises'
import { proofLabel } from './names.ts'

/** What a look at the DNS says about a proof. Only an answer that has none says that it is missing. */
export type Finding = 'proven' | 'missing' | { unknown: string }

export interface ProofLookUp {
  /** Looks for the TXT record that proves a domain. Never throws. */
  look(domain: string, proof: string): Promise<Finding>
  /** Ends the look-ups in progress. */
  stop(): void
}

/** The codes by which a name server says that there is nothing: no such name, or no such record. */
const nothing = new Set(['ENOTFOUND', 'ENODATA'])

/** Asks these name servers, such as `192.0.2.53` or `[2001:db8::53]:5353`; without any, those of this machine. */
export function createProofLookUp(servers: readonly string[]): ProofLookUp {
  const resolver = new Resolver({ timeout: 3000, tries: 2 })
  if (servers.length > 0) resolver.setServers(servers)
  return {
    look: async (domain, proof) => {
      try {
        // A long text is sent in several parts.
        const records = await resolver.resolveTxt(`${proofLabel}.${domain}`)
        return records.some(parts => parts.join('').trim() === proof) ? 'proven' : 'missing'
      } catch (error) {
        const { code = 'unknown error' } = error as NodeJS.ErrnoException
        return nothing.has(code) ? 'missing' : { unknown: code }
      }
    },
    stop: () => resolver.cancel(),
  }
}
