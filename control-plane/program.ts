import { alerts } from '../plugins/alerts/index.ts'
import { audit } from '../plugins/audit/index.ts'
import { auth } from '../plugins/auth/index.ts'
import { backup } from '../plugins/backup/index.ts'
import { billing } from '../plugins/billing/index.ts'
import { certificates } from '../plugins/certificates/index.ts'
import { health } from '../plugins/health/index.ts'
import { mail } from '../plugins/mail/index.ts'
import { metrics } from '../plugins/metrics/index.ts'
import { operators } from '../plugins/operators/index.ts'
import { overview } from '../plugins/overview/index.ts'
import { owners } from '../plugins/owners/index.ts'
import { provisioner } from '../plugins/provisioner/index.ts'
import { sdk } from '../plugins/sdk/index.ts'
import { sso } from '../plugins/sso/index.ts'
import { tokens } from '../plugins/tokens/index.ts'
import { upgrades } from '../plugins/upgrades/index.ts'
import { usage } from '../plugins/usage/index.ts'
import { edgePlugins } from './edge-plugins.ts'

/** The control plane is this list of plugins. */
export const plugins = [
  auth,
  ...edgePlugins,
  provisioner,
  audit,
  backup,
  certificates,
  health,
  metrics,
  mail,
  alerts,
  billing,
  operators,
  overview,
  owners,
  sdk,
  sso,
  tokens,
  upgrades,
  usage,
]
