import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { definePlugin } from '../../src/kernel/runtime.ts'
import '../auth/contract.ts'
import '../jobs/contract.ts'
import '../repo/contract.ts'
import '../volume/contract.ts'
import { openClones } from './clones.ts'
import './contract.ts'
import { openRepacking } from './packs/repacking.ts'
import { noGit } from './problems.ts'
import { openPushLog } from './pushes/log.ts'
import { openPushes } from './pushes/pushes.ts'
import { clearReceived, startReceiver } from './pushes/receiver.ts'
import { gitRoutes } from './routes.ts'
import * as schema from './schema.ts'

const mib = 1024 * 1024

const cloneLimits = {
  limitMs: 10 * 60_000,
  memoryMb: 256,
  arrivalMs: 60_000,
  pace: { graceMs: 30_000, bytesPerSecond: 16 * 1024 },
}

/** isomorphic-git reads every index for an object that it looks for; a pack it holds in memory. */
const packLimits = { packs: 20, loose: 5000, bytes: 24 * mib }

/** Serves the jobs repo to people's own git, at `jobs.git`. */
export const gitServer = definePlugin({
  name: 'git-server',
  needs: ['auth', 'jobs', 'repo', 'volume'],
  tables: { schema, migrations: 'runtime/git-server/migrations' },
  setup: ({ db, clock, log, services: { auth, jobs, repo, volume } }) => {
    const { dir, jobsDir } = volume.folders
    const { manifest } = jobs
    const git = gitProgram()
    const clones = git ? openClones({ git, jobsDir, limits: cloneLimits }) : null
    const pushes = openPushes({
      jobsDir,
      cacheDir: join(dir, 'cache'),
      repo,
      manifest,
      room: volume.room,
      limits: {
        arrivalMs: 15 * 60_000,
        idleMs: 30_000,
        checkMs: 2 * 60_000,
        patienceMs: 20_000,
        packBytes: 50 * mib,
      },
      log,
    })
    const repacking = openRepacking({
      jobsDir,
      limits: packLimits,
      start: () => {
        const shown = { branch: null, head: null }
        const receiver = startReceiver({ jobsDir, cacheDir: join(dir, 'cache'), shown })
        return {
          repack: async drop =>
            (await receiver.ask({ op: 'repack', repo: receiver.repo, limits: packLimits, drop })).packs,
          end: receiver.end,
        }
      },
      hasRoom: () => ['well', 'warned'].includes(volume.room.level()),
      clock,
      log,
    })
    const fault = clones ? null : 'The machine has no git program. Ask the operator to install git.'
    const pushLog = openPushLog(db, clock)
    const web = {
      pushLog,
      auth,
      repo,
      manifest,
      jobIds: jobs.list.ids,
      address: volume.address,
      pushes,
      clones: () => {
        if (!clones) throw noGit(fault ?? '')
        return clones
      },
    }
    return {
      service: { url: `${volume.address}/jobs.git`, fault, pushed: pushLog.of },
      routes: gitRoutes(web),
      ...(git !== null && {
        tasks: [{ name: 'repack', everyMs: 10 * 60_000, run: repacking.round }],
      }),
      start: () => clearReceived(jobsDir),
      stop: async () => {
        await Promise.all([clones?.stop(), pushes.stop()])
      },
    }
  },
})

/** The absolute path of git; null if this machine has none. */
function gitProgram(): string | null {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean)
  return folders.map(folder => join(folder, 'git')).find(file => existsSync(file)) ?? null
}
