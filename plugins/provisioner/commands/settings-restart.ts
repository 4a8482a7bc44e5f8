import { and, isNull } from 'drizzle-orm'
import type { Fleet } from '../records/fleet.ts'
import { openOperationOf } from '../records/operation.ts'
import { olderSettings, settingsDigest } from '../records/settings-digest.ts'
import { instances } from '../schema.ts'
import { request } from './commands.ts'

/** Restarts every instance that runs with older settings; one that is being worked on has them when that is done. */
export function restartOlder(fleet: Fleet): { subdomain: string; operationId: string | null }[] {
  const { db } = fleet
  return db.transaction(() =>
    db
      .select({ id: instances.id, subdomain: instances.subdomain })
      .from(instances)
      .where(and(olderSettings(settingsDigest(fleet)), isNull(instances.purgedAt)))
      .orderBy(instances.subdomain)
      .all()
      .filter(({ id }) => !openOperationOf(db, id))
      .map(({ subdomain }) => ({ subdomain, operationId: request(fleet, subdomain, 'restart').operationId })),
  )
}
