import { definePlugin } from '../../src/kernel/control-plane.ts'
import { builtRoot } from '../../src/root.ts'
import '../site/contract.ts'
import { packageRoutes } from './routes.ts'

/** Serves the npm package with the command, so that operators install the one that fits this control plane. */
export const sdk = definePlugin({
  name: 'sdk',
  needs: ['site'],
  setup: ({ services: { site } }) => ({ routes: packageRoutes(builtRoot('npm'), site) }),
})
