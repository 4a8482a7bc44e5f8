import type { MigrationFolders } from '../src/migrations.ts'
import { auditTables } from './audit/tables.ts'
import { authTables } from './auth/tables.ts'
import { badgeTables } from './badges/tables.ts'
import { noticesTables } from './notices/tables.ts'
import { secretsTables } from './secrets/tables.ts'
import { stateTables } from './state/tables.ts'
import { syncTables } from './sync/tables.ts'
import { tokenTables } from './tokens/tables.ts'

/** Every part that keeps tables in the volume's database. One that is missing here is taken for a newer version's. */
export const migrationFolders: MigrationFolders = {
  jobs: 'runtime/migrations',
  auth: authTables.migrations,
  tokens: tokenTables.migrations,
  audit: auditTables.migrations,
  badges: badgeTables.migrations,
  notices: noticesTables.migrations,
  secrets: secretsTables.migrations,
  state: stateTables.migrations,
  sync: syncTables.migrations,
}
