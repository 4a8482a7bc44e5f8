import { join } from 'node:path'
import { z } from 'zod'
import { setting } from '../../src/kernel/config.ts'
import { resticStore } from './store/restic.ts'
import type { Store } from './store/store.ts'

const text = () => z.string().optional()

export const backupConfig = z.object({
  /** A folder, or any address that restic knows. */
  BACKUP_STORE: text(),
  BACKUP_PASSWORD_FILE: text(),
  /** The age at which the newest copy of an instance gets a successor; 0 makes copies only when asked. */
  BACKUP_EVERY: setting.duration('0ms', '365d').prefault('24h'),
  /** Copies older than this are deleted, but for the newest ones. */
  BACKUP_KEEP_FOR: setting.duration('1h', '3650d').prefault('30d'),
  BACKUP_KEEP_LAST: setting.integer(1, 1000).prefault('7'),
  /** How long copies of a purged instance are kept; 0 makes none before a purge, and deletes the others with it. */
  BACKUP_KEEP_PURGED: setting.duration('0ms', '3650d').prefault('30d'),
  /** How often the newest copy of an instance is proven to work; 0 never does. */
  BACKUP_PROVE_EVERY: setting.duration('0ms', '365d').prefault('7d'),
  /** Copies that are made at the same time. */
  BACKUP_CONCURRENCY: setting.integer(1, 64).prefault('2'),
  /** The largest archive that an owner may upload. */
  BACKUP_UPLOAD_LIMIT: setting.size('1m', '10240g').prefault('2g'),
  // What restic reads for a store at an S3 service.
  AWS_ACCESS_KEY_ID: text(),
  AWS_SECRET_ACCESS_KEY: text(),
  AWS_SESSION_TOKEN: text(),
  AWS_DEFAULT_REGION: text(),
})
export type BackupConfig = z.output<typeof backupConfig>

/** Where the store's password is. `control` is the folder of the control plane's own files. */
export function passwordFileOf(config: BackupConfig, control: string): string {
  return config.BACKUP_PASSWORD_FILE ?? join(control, 'backup-password')
}

/** The store that the settings name. Nothing is read or made yet. */
export function storeOf(config: BackupConfig, control: string): Store {
  return resticStore({
    repository: config.BACKUP_STORE ?? join(control, 'backups'),
    passwordFile: passwordFileOf(config, control),
    folder: join(control, 'backup-work'),
    environment: storeEnvironment(config),
  })
}

/** The variables that restic gets, and no others of the control plane. */
function storeEnvironment(config: BackupConfig): Record<string, string> {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_DEFAULT_REGION } = config
  const all = { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_DEFAULT_REGION }
  return Object.fromEntries(Object.entries(all).flatMap(([name, value]) => (value ? [[name, value]] : [])))
}
