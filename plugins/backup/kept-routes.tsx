import { z } from 'zod'
import { flagField, numberField } from '../../src/http/json-schema.ts'
import { wantsPage } from '../../src/http/negotiate.ts'
import { invalidFields } from '../../src/http/problem.ts'
import { type Guard, type Route, route } from '../../src/http/route.ts'
import { DeletedBackupsPage } from '../../views/operator/host/deleted-backups-page.tsx'
import { operatorFrame } from '../../views/operator/operator-frame.ts'
import type { ProvisionerService } from '../provisioner/contract.ts'
import { type BackupDb, findCopy, listKept } from './copies/copies.ts'
import { listedBackupSchema, wireListed } from './wire.ts'

const path = '/admin/backups'

interface KeptRoutes {
  db: BackupDb
  admin: Guard
  provisioner: ProvisionerService
  now(): number
}

/** The kept backups of all instances. The page shows those of deleted ones: the others are on the pages of their instances. */
export function keptRoutes({ db, admin, provisioner, now }: KeptRoutes): Route[] {
  return [
    route({
      method: 'get',
      path,
      summary: 'The kept backups of all instances, also of purged ones, newest first',
      guard: admin,
      role: 'read',
      query: z.object({
        subdomain: z
          .string()
          .trim()
          .max(63)
          .optional()
          .meta({ description: 'Only backups of instances that had this name when they were backed up' }),
        purged: flagField().meta({ description: 'Only backups of purged instances' }),
        limit: numberField(1, 500, 100),
        cursor: z
          .string()
          .max(100)
          .optional()
          .meta({ description: 'Continues after the last backup of a page: its `next_cursor`' }),
      }),
      answers: {
        200: {
          description: 'The backups',
          schema: z.object({ backups: z.array(listedBackupSchema), next_cursor: z.string().nullable() }),
        },
      },
      handle: (c, { query: { subdomain, purged, limit, cursor } }) => {
        const after = cursor === undefined ? null : findCopy(db, cursor)
        if (cursor !== undefined && after === null)
          throw invalidFields([{ path: 'cursor', message: 'must be the next_cursor of the page before' }])
        const isPage = wantsPage(c)
        const live = provisioner.instances().map(({ id }) => id)
        const filter = { subdomain: subdomain || undefined, isPurged: purged || isPage, live }
        const found = listKept(db, filter, { after, limit: limit + 1 })
        const rows = found.slice(0, limit)
        const next = found.length > limit ? (rows.at(-1)?.id ?? null) : null
        if (isPage) {
          const page = (
            <DeletedBackupsPage copies={rows} subdomain={subdomain ?? ''} next={next} now={now()} />
          )
          return c.render(page, operatorFrame('Backups of deleted instances', '/admin/instances'))
        }
        const alive = new Set(live)
        const backups = rows.map(row => wireListed(row, !alive.has(row.instanceId)))
        return c.json({ backups, next_cursor: next })
      },
    }),
  ]
}
