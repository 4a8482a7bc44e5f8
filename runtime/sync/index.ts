import { join } from 'node:path'
import { definePlugin } from '../../src/kernel/runtime.ts'
import '../auth/contract.ts'
import '../jobs/contract.ts'
import '../repo/contract.ts'
import '../volume/contract.ts'
import './contract.ts'
import { openRemote } from './remote.ts'
import { syncRoutes } from './routes.ts'
import * as schema from './schema.ts'
import { createSync } from './sync.ts'

/** The sync plugin; `limitMs` is the longest that one request to the remote may take. */
export const syncWith = ({ limitMs = 2 * 60_000 }: { limitMs?: number | undefined }) =>
  definePlugin({
    name: 'sync',
    needs: ['auth', 'jobs', 'repo', 'volume'],
    tables: { schema, migrations: 'runtime/sync/migrations' },
    setup: ({ db, log, clock, services: { auth, jobs, repo, volume } }) => {
      const { dir, jobsDir } = volume.folders
      const sync = createSync({
        dir: jobsDir,
        cacheDir: join(dir, 'cache'),
        scratchDir: join(dir, 'sync'),
        store: openRemote(db, volume.seal),
        room: volume.room,
        clock,
        log,
        limitMs,
        load: jobs.manifest.load,
        exclusive: jobs.manifest.exclusive,
        liveJobs: jobs.list.ids,
        readJobs: jobs.manifest.jobsIn,
      })
      return {
        service: sync,
        routes: syncRoutes({ sync, repo, guard: auth.signedIn, clock, address: volume.address }),
        hooks: { 'before-first-load': sync.recover, 'remote-status': sync.remote },
        on: {
          'first-load-ended': sync.start,
          'commit-made': ({ commit }) => sync.committed(commit),
        },
        stop: sync.stop,
      }
    },
  })

/** Keeps the jobs repo and a remote in sync. */
export const sync = syncWith({})
