import { definePlugin } from '../../src/kernel/control-plane.ts'
import '../auth/contract.ts'
import '../mail/contract.ts'
import '../provisioner/contract.ts'
import '../site/contract.ts'
import './contract.ts'
import * as schema from './schema.ts'
import { billingConfig } from './settings.ts'
import { setUpWithoutStripe, setUpWithStripe } from './setup.ts'

export const billing = definePlugin({
  name: 'billing',
  needs: ['auth', 'mail', 'provisioner', 'site'],
  config: billingConfig,
  tables: { schema, migrations: 'plugins/billing/migrations' },
  setup: context => {
    const { stripe } = context.config
    return stripe ? setUpWithStripe(context, stripe) : setUpWithoutStripe(context)
  },
})
