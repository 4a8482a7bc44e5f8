import { alerts } from '../plugins/alerts/index.ts'
import { audit } from '../plugins/audit/index.ts'
import { auth } from '../plugins/auth/index.ts'
import { backup } from '../plugins/backup/index.ts'
import { billing } from '../plugins/billing/index.ts'
import { certificates } from '../plugins/certificates/index.ts'
import { health } from '../plugins/health/index.ts'
import { mail } from '../plugins/mail/index.ts'
import { metrics } from '../plugins/metrics/index.ts'
import { overview } from '../plugins/overview/index.ts'
import { owners } from '../plugins/owners/index.ts'
import { provisioner } from '../plugins/provisioner/index.ts'
import { router } from '../plugins/router/index.ts'
import { sso } from '../plugins/sso/index.ts'
import { tokens } from '../plugins/tokens/index.ts'
import { upgrades } from '../plugins/upgrades/index.ts'
import { type Clock, systemClock } from '../src/clock.ts'
import type { Environment } from '../src/kernel/config.ts'
import type { Logger } from '../src/log.ts'
import { boot, type Program } from './boot.ts'
import { builtWeb } from './web.tsx'

/** The control plane is this list of plugins. */
export const plugins = [
  auth,
  router,
  provisioner,
  audit,
  backup,
  certificates,
  health,
  metrics,
  mail,
  alerts,
  billing,
  overview,
  owners,
  sso,
  tokens,
  upgrades,
]

/** Sets up the control plane, which answers once `listen` is called. Throws a BootError that names every fault. */
export async function controlPlane(options: {
  env: Environment
  log: Logger
  clock?: Clock
}): Promise<Program> {
  const { env, log, clock = systemClock } = options
  let program: Program | undefined
  const web = builtWeb({
    isOperator: c => program?.services.auth?.isOperator(c) ?? false,
    isOwner: c => (program?.services.auth?.visitor(c) ?? null) !== null,
  })
  program = await boot({ plugins, env, log, clock, web })
  return program
}
