import { z } from 'zod'
import { timestamp } from '../../src/clock.ts'
import { copyReasons } from '../provisioner/contract.ts'
import { type CopyRow, copyStatuses } from './schema.ts'

export const backupSchema = z
  .object({
    id: z.string(),
    status: z.enum(copyStatuses).meta({ description: 'A `kept` backup can be restored' }),
    created_at: z.iso
      .datetime()
      .meta({ description: 'Every record that was confirmed before is in the backup' }),
    bytes: z.number().nullable().meta({ description: 'Unpacked' }),
    stored_bytes: z.number().nullable().meta({ description: 'What the store needed for it' }),
    reason: z.enum(copyReasons),
    verified_at: z.iso.datetime().nullable().meta({
      description: 'When it was last restored into a scratch folder, checked, and a runtime started on it',
    }),
    image: z.string(),
    unread_files: z.number().meta({ description: 'Files of the volume that could not be read' }),
    error: z.string().nullable().meta({ description: 'Why it could not be made, or does not work' }),
  })
  .meta({ id: 'Backup' })
export type WireBackup = z.infer<typeof backupSchema>

export const backupsSchema = z.object({ backups: z.array(backupSchema) })

export function wireBackup(row: CopyRow): WireBackup {
  return {
    id: row.id,
    status: row.status,
    created_at: timestamp(row.createdAt),
    bytes: row.bytes,
    stored_bytes: row.storedBytes,
    reason: row.reason,
    verified_at: timestamp(row.provenAt),
    image: row.image,
    unread_files: row.unread,
    error: row.error ?? row.fault,
  }
}

/** A copy in the list of all: with the instance that it is of. */
export const listedBackupSchema = backupSchema
  .extend({
    instance_id: z.string(),
    subdomain: z.string().meta({ description: 'What the instance was called when the backup was made' }),
    purged: z
      .boolean()
      .meta({ description: 'The instance was deleted for good; `into` restores the backup' }),
  })
  .meta({ id: 'ListedBackup' })

export function wireListed(row: CopyRow, purged: boolean): z.infer<typeof listedBackupSchema> {
  return { ...wireBackup(row), instance_id: row.instanceId, subdomain: row.subdomain, purged }
}
