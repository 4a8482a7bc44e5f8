import { and, desc, eq, gt, ne } from 'drizzle-orm'
import {
  instanceLimit,
  subdomainHeld,
  subdomainTaken,
  suspended,
  volumeUnknown,
  volumeUnseen,
} from '../problems.ts'
import { sameAddress } from '../records/email-address.ts'
import type { Fleet } from '../records/fleet.ts'
import { findBySubdomain } from '../records/instance.ts'
import { refuseVolumeOfAnother, seeVolume } from '../records/volume-record.ts'
import { type Instance, type InstanceRow, instances } from '../schema.ts'
import { type VolumeSight, volumePath } from '../volumes/volume.ts'

/** What is asked for, as far as it decides who may have a name. */
export interface NameRequest {
  subdomain: string
  ownerEmail: string
  /** Takes over a volume that has been lived in and that no record knows. */
  adopt: boolean
  /** The account that asks for it, and how many instances that may have; null for the operator. */
  account: { id: string; limit: number } | null
}

/**
 * Returns the instance in retention that this request brings back; null when the request makes a new one. Throws when it may
 * do neither: the name is another owner's, or was until recently, or the account has all the instances that it may have.
 */
export function returningInstance(fleet: Fleet, request: NameRequest, sight: VolumeSight): Instance | null {
  const { subdomain, account } = request
  const previous = findBySubdomain(fleet.db, subdomain)
  if (previous && previous.desired !== 'deleted') {
    throw subdomainTaken(`An instance called "${subdomain}" exists already.`)
  }
  if (previous && !isOwn(previous, request)) {
    throw subdomainHeld(
      account
        ? `"${subdomain}" is kept for its last owner with its data; choose another name.`
        : `"${subdomain}" is kept for its last owner with its data; choose another name, or purge it first.`,
    )
  }
  if (previous?.removal?.purgeRequestedAt)
    throw subdomainTaken(`"${subdomain}" is being purged; try again when that is done.`)
  // A new instance would run, although the one before it is suspended.
  if (account && previous?.suspension) throw suspended(previous.suspension.reason)
  if (account && previous?.billed !== false) refuseOverLimit(fleet, account)
  if (previous) return previous
  if (account) refuseQuarantined(fleet, request)
  refuseUnknownVolume(fleet, request, sight)
  return null
}

/** Compares accounts where there are any, since an email address may pass to another person; else the address. */
function isOwn(previous: InstanceRow, { account, ownerEmail }: NameRequest): boolean {
  if (account && previous.accountId !== null) return previous.accountId === account.id
  return sameAddress(previous.ownerEmail, ownerEmail)
}

/** Throws `instance-limit` when the account is full. Instances that the operator created do not count. */
export function refuseOverLimit({ db }: Fleet, account: { id: string; limit: number }): void {
  const has = db
    .select({ id: instances.id })
    .from(instances)
    .where(
      and(eq(instances.accountId, account.id), eq(instances.billed, true), ne(instances.desired, 'deleted')),
    )
    .all().length
  if (has < account.limit) return
  const instancesText = account.limit === 1 ? 'one instance' : `${account.limit} instances`
  throw instanceLimit(`Your account may have ${instancesText}, and has ${has}. Nothing was made.`)
}

/** Links, webhooks and cookies of a name outlive its instance. They must not reach the next owner of the name. */
function refuseQuarantined({ db, clock, quarantineMs }: Fleet, request: NameRequest): void {
  const since = clock.now() - quarantineMs
  const last = db
    .select()
    .from(instances)
    .where(and(eq(instances.subdomain, request.subdomain), gt(instances.purgedAt, since)))
    .orderBy(desc(instances.purgedAt))
    .get()
  if (!last?.purgedAt || isOwn(last, request)) return
  const free = new Date(last.purgedAt + quarantineMs).toISOString().slice(0, 10)
  throw subdomainHeld(
    `"${request.subdomain}" was recently used by another owner. It becomes available on ${free}.`,
  )
}

/** Looks at where the volume of this name would be. An owner learns nothing about the host. */
export async function seeFor(fleet: Fleet, { subdomain, account }: NameRequest): Promise<VolumeSight> {
  try {
    return await seeVolume(fleet, subdomain)
  } catch (error) {
    if (!account) throw error
    throw volumeUnseen('Names cannot be checked at the moment; try again in a minute. Nothing was made.')
  }
}

function refuseUnknownVolume(
  fleet: Fleet,
  { subdomain, ownerEmail, adopt, account }: NameRequest,
  sight: VolumeSight,
): void {
  const path = volumePath(fleet.site.dataRoot, subdomain)
  if (sight.kind !== 'unmarked' && sight.kind !== 'marked') return
  // Whose it is, only the operator can say.
  if (account) throw subdomainTaken(`"${subdomain}" cannot be had; choose another name.`)
  refuseVolumeOfAnother(fleet, path, sight)
  if (adopt) return
  const detail = `${path} holds an instance's data that no record knows. Send "adopt": true to give it to ${ownerEmail}.`
  throw volumeUnknown(detail, {
    errors: [{ path: 'adopt', message: 'must be true to take over this volume' }],
  })
}
