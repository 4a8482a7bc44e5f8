import { z } from 'zod'
import { definePlugin } from '../../src/kernel/runtime.ts'
import '../auth/contract.ts'
import '../volume/contract.ts'
import { tokenRoutes } from './routes.tsx'
import * as schema from './schema.ts'
import { tokenStore } from './token.ts'

/** API tokens, for scripts. */
export const tokens = definePlugin({
  name: 'tokens',
  needs: ['auth', 'volume'],
  config: z.object({
    /** When the instance got its current owner; unset if it had no other. */
    LONGHOUSE_HANDED_OVER_AT: z.iso
      .datetime('must be a time such as 2026-01-31T08:00:00.000Z')
      .transform(text => Date.parse(text))
      .optional(),
  }),
  tables: { schema, migrations: 'runtime/tokens/migrations' },
  setup: ({ config, db, clock, services: { auth, volume } }) => {
    const tokens = tokenStore(db, clock)
    if (config.LONGHOUSE_HANDED_OVER_AT !== undefined)
      tokens.endEarlierOwners(config.LONGHOUSE_HANDED_OVER_AT)
    return {
      hooks: { 'bearer-token': tokens.use },
      routes: tokenRoutes({ tokens, person: auth.person, clock, address: volume.address }),
    }
  },
})
