import { z } from 'zod'
import { timestamp } from '../../src/clock.ts'
import { type Domain, domainStates } from './contract.ts'
import { proofLabel } from './names.ts'

const record = z.object({ type: z.string(), name: z.string(), value: z.string() })
const time = z.iso.datetime()

export const domainSchema = z
  .object({
    domain: z.string(),
    state: z.enum(domainStates),
    since: time.meta({ description: 'When the state began' }),
    proof: record.meta({ description: 'The DNS record that proves it' }),
    traffic: record.meta({
      description:
        'The DNS record that sends requests here. Where a name can have no CNAME, the addresses of this one do as well',
    }),
    vouched: z.boolean().meta({ description: 'The operator answers for it: it needs no proof' }),
    finding: z.string().nullable().meta({ description: 'What the last check found' }),
    created_at: time,
    checked_at: time.nullable(),
    next_check_at: time.nullable().meta({ description: 'Null for one that needs no proof' }),
    stops_at: time
      .nullable()
      .meta({ description: 'When it stops, unless the proof is back; null while it is there' }),
    expires_at: time
      .nullable()
      .meta({ description: 'When it is forgotten, unless it is proven; null once it is' }),
  })
  .meta({ id: 'Domain' })

export const domainListSchema = z.object({
  domains: z.array(domainSchema),
  limit: z.int().meta({ description: 'How many the instance may have' }),
})

/** A domain with all that follows from the settings. */
export interface DomainView extends Domain {
  records: { proof: { name: string; value: string }; traffic: { name: string; value: string } }
  stopsAt: number | null
  expiresAt: number | null
}

export function viewOf(
  domain: Domain,
  { target, graceMs, claimMs }: { target: string; graceMs: number; claimMs: number },
): DomainView {
  const { name, state, since } = domain
  return {
    ...domain,
    records: {
      proof: { name: `${proofLabel}.${name}`, value: domain.proof },
      traffic: { name, value: target },
    },
    stopsAt: state === 'losing' ? since + graceMs : null,
    expiresAt: state === 'waiting' || state === 'lost' ? since + claimMs : null,
  }
}

export function wireDomain(view: DomainView): z.infer<typeof domainSchema> {
  const { records } = view
  return {
    domain: view.name,
    state: view.state,
    since: timestamp(view.since),
    proof: { type: 'TXT', ...records.proof },
    traffic: { type: 'CNAME', ...records.traffic },
    vouched: view.vouched,
    finding: view.finding,
    created_at: timestamp(view.createdAt),
    checked_at: timestamp(view.checkedAt),
    next_check_at: view.vouched ? null : timestamp(view.nextCheckAt),
    stops_at: timestamp(view.stopsAt),
    expires_at: timestamp(view.expiresAt),
  }
}
