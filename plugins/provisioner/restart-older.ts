import { and, isNull } from 'drizzle-orm'
import { request } from './commands.ts'
import type { Fleet } from './fleet.ts'
import { openOperationOf } from './operation.ts'
import { instances } from './schema.ts'
import { olderSettings, settingsDigest } from './settings.ts'

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
