import '../auth/contract.ts'
import '../mail/contract.ts'
import '../provisioner/contract.ts'
import '../router/contract.ts'
import '../site/contract.ts'
import './contract.ts'
import * as schema from './schema.ts'
import { billingConfig } from './settings.ts'

/** What billing declares of itself: its needs, its settings, its tables. */
export const declaration = {
  name: 'billing',
  needs: ['auth', 'mail', 'provisioner', 'router', 'site'],
  config: billingConfig,
  tables: { schema, migrations: 'plugins/billing/migrations' },
} as const
