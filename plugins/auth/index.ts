import { join } from 'node:path'
import { z } from 'zod'
import { sessionCookie } from '../../src/http/session-cookie.ts'
import { definePlugin } from '../../src/plugin.ts'
import { createRateLimit } from '../../src/rate-limit.ts'
import { loadAdminToken, tokenForm, tokenRule } from './admin-token.ts'
import './contract.ts'
import { adminGuard } from './guard.ts'
import { authRoutes } from './routes.tsx'
import * as schema from './schema.ts'
import { adminSessions } from './session.ts'

export const auth = definePlugin({
  name: 'auth',
  config: z.object({
    ADMIN_TOKEN: z.string().regex(tokenForm, tokenRule).optional(),
  }),
  tables: { schema, migrations: 'plugins/auth/migrations' },
  setup: ({ config, site, db, clock, log }) => {
    const token = loadAdminToken(config.ADMIN_TOKEN, join(site.dataRoot, '.control', 'admin-token'))
    const sessions = adminSessions(db, clock, token.hash)
    const cookie = sessionCookie({ https: site.publicUrl?.protocol === 'https:' })
    const failures = createRateLimit({ failures: 10, withinMs: 10 * 60_000, clock })
    const parts = { token, sessions, cookie, failures }
    if (token.file) log.info({ file: token.file }, 'the admin token is in this file')
    return {
      service: {
        admin: adminGuard(parts),
        knows: c => {
          const secret = cookie.read(c)
          return secret !== undefined && sessions.isLive(secret)
        },
        tokenFile: token.file,
      },
      routes: authRoutes(parts),
      tasks: [{ name: 'prune-sessions', everyMs: 3_600_000, run: async () => sessions.prune() }],
    }
  },
})
