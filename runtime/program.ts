import { audit } from './audit/index.ts'
import { auth } from './auth/index.ts'
import { badges } from './badges/index.ts'
import { type BootOptions, boot, type Runtime } from './boot.ts'
import { certificates } from './certificates/index.ts'
import { disk } from './disk/index.ts'
import { files } from './files/index.ts'
import { gitServer } from './git-server/index.ts'
import { health } from './health/index.ts'
import { jobs } from './jobs/index.ts'
import { metrics } from './metrics/index.ts'
import { notices } from './notices/index.ts'
import { packages } from './packages/index.ts'
import { pages } from './pages/index.ts'
import { repo } from './repo/index.ts'
import { sdk } from './sdk/index.ts'
import { secrets } from './secrets/index.ts'
import { state } from './state/index.ts'
import { sync } from './sync/index.ts'
import { tokens } from './tokens/index.ts'

/** The runtime as a list of plugins; the volume comes before them all. */
export const plugins = [
  certificates,
  auth,
  tokens,
  audit,
  secrets,
  state,
  sdk,
  packages,
  repo,
  jobs,
  disk,
  sync,
  gitServer,
  files,
  badges,
  pages,
  notices,
  metrics,
  health,
]

/** Starts an instance. Throws a BootError with every fault of its settings. */
export function startRuntime(options: Omit<BootOptions, 'plugins'>): Promise<Runtime> {
  return boot({ ...options, plugins })
}
