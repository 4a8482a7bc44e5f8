import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { open, type Session, stop } from './instance.fixture.ts'

const shop = join(import.meta.dirname, 'jobs-repo')
/** The installed packages: the registry is asked only once. */
const kept = join(import.meta.dirname, '../node_modules/.cache/bench/packages')
/** Where this machine reaches the registry by an authority of its own. */
const authority = process.env.NODE_EXTRA_CA_CERTS

/** Instances of the bench, with folders that are removed at the end. */
export interface Bench {
  /** Opens an instance whose jobs repo has these files more than the shop's; `jobs` is its folder. */
  openShop(program: string, more?: Record<string, string>): Promise<{ session: Session; jobs: string }>
  /** Opens an instance with one of the shop's jobs, and nothing else. */
  openOne(program: string, job: string): Promise<Session>
  end(): Promise<void>
}

export function startBench(): Bench {
  const dir = mkdtempSync(join(tmpdir(), 'longhouse-bench-'))
  const opened: Session[] = []
  const newVolume = () => mkdtempSync(join(dir, 'volume-'))
  const openIn = async (volume: string, program: string) => {
    const session = await open(volume, program)
    opened.push(session)
    return session
  }
  return {
    openShop: async (program, more = {}) => {
      const volume = newVolume()
      const jobs = join(volume, 'jobs')
      cpSync(shop, jobs, { recursive: true })
      if (authority) writeFileSync(join(jobs, '.npmrc'), `cafile=${authority}\n`)
      writeAll(jobs, more)
      if (existsSync(kept)) hardLinks(kept, join(volume, 'packages'))
      const session = await openIn(volume, program)
      if (!existsSync(kept)) hardLinks(join(volume, 'packages'), kept)
      return { session, jobs }
    },
    openOne: async (program, job) => {
      const volume = newVolume()
      const jobs = join(volume, 'jobs')
      writeAll(jobs, {
        'manifest.ts': `import { jobRegistry } from 'longhouse/jobs'
          import { run } from './jobs/${job}'
          jobRegistry.register({ id: '${job}', cron: '@yearly', func: run })\n`,
        'package.json': '{ "type": "module" }\n',
      })
      cpSync(join(shop, `jobs/${job}.ts`), join(jobs, `jobs/${job}.ts`))
      return openIn(volume, program)
    },
    end: async () => {
      await Promise.all(opened.map(stop))
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

function writeAll(folder: string, files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
}

/** The same packages for each instance, without a copy. */
function hardLinks(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true })
  const { status, stderr } = spawnSync('cp', ['-al', from, to], { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
}
