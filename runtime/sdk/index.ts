import { join } from 'node:path'
import { definePlugin } from '../../src/kernel/runtime.ts'
import { builtRoot } from '../../src/root.ts'
import '../volume/contract.ts'
import './contract.ts'
import { sdkRoutes } from './routes.ts'
import { openTarballs } from './tarballs.ts'

/** The npm package with the types and the command, for clones of the jobs repo. */
export const sdk = definePlugin({
  name: 'sdk',
  needs: ['volume'],
  setup: ({ log, services: { volume } }) => {
    const tarballs = openTarballs({
      built: builtRoot('npm'),
      kept: join(volume.folders.dir, 'sdk'),
      origin: volume.place.origin,
      log,
    })
    return { service: tarballs, routes: sdkRoutes(tarballs) }
  },
})
