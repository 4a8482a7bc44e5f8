import '../auth/contract.ts'
import '../provisioner/contract.ts'
import '../site/contract.ts'
import './contract.ts'
import * as schema from './schema.ts'
import { backupConfig } from './settings.ts'

/** What the plugin declares of itself: its needs, its settings, its tables. */
export const declaration = {
  name: 'backup',
  needs: ['auth', 'provisioner', 'site'],
  config: backupConfig,
  tables: { schema, migrations: 'plugins/backup/migrations' },
} as const
