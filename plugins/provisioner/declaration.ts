import '../auth/contract.ts'
import '../router/contract.ts'
import '../site/contract.ts'
import './contract.ts'
import * as schema from './schema.ts'
import { provisionerConfig } from './settings.ts'

/** What the provisioner declares of itself: its needs, its settings, its tables, the hooks that it asks. */
export const declaration = {
  name: 'provisioner',
  needs: ['auth', 'router', 'site'],
  asks: {
    'images-in-use': 'any',
    'instance-admission': 'optional',
    'instance-busiest-minute': 'optional',
    'instance-change': 'any',
    'instance-environment': 'any',
    'instance-limit': 'optional',
    'instance-traffic-page': 'optional',
    'instance-usage': 'optional',
    'purge-objection': 'any',
    'volume-copies': 'optional',
  },
  config: provisionerConfig,
  tables: { schema, migrations: 'plugins/provisioner/migrations' },
} as const
