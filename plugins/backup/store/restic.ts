import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, existsSync, constants as fileModes, mkdirSync } from 'node:fs'
import { availableParallelism, constants, setPriority } from 'node:os'
import { delimiter, join } from 'node:path'
import { PassThrough, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout } from 'node:timers/promises'
import { z } from 'zod'
import { Gate } from './gate.ts'
import { type CopyTags, type Store, type StoredCopy, StoreError } from './store.ts'

/** The name of an archive in its copy, and of the database of the control plane in its own. */
const archiveName = 'volume.tar'
const recordsName = 'control-plane.db'
/** The host of all copies: restic would take the name of the machine, or of a container. */
const host = 'longhouse'
/** What restic says stays readable in the log and on pages. */
const keptCharacters = 4000
/** How long a deletion may wait for copies and restores in progress: others wait behind it. */
const aloneWithinMs = 10 * 60_000
/** restic removes its lock when it is interrupted. */
const killAfterMs = 10_000

export interface ResticOptions {
  /** A folder, or an address such as `s3:https://s3.example.com/bucket`. */
  repository: string
  passwordFile: string
  /** Where it keeps its cache and temporary files. */
  folder: string
  /** What the address needs, such as credentials. */
  environment: Readonly<Record<string, string>>
  program?: string
}

const snapshotSchema = z.array(
  z.object({
    id: z.string(),
    time: z.string(),
    tags: z.array(z.string()).nullish(),
    paths: z.array(z.string()),
  }),
)
const summarySchema = z.object({
  message_type: z.literal('summary'),
  snapshot_id: z.string(),
  data_added: z.number(),
  total_bytes_processed: z.number(),
})

/** Whether restic is on the search path. */
export function resticInstalled(path = process.env.PATH ?? ''): boolean {
  return path.split(delimiter).some(folder => {
    try {
      accessSync(join(folder, 'restic'), fileModes.X_OK)
      return true
    } catch {
      return false
    }
  })
}

export const howToInstall =
  'restic is not installed, so no backups can be made. Install it: apt-get install restic'

/** A store that restic keeps. Nothing else calls restic. */
export function resticStore(options: ResticOptions): Store {
  const { repository } = options
  const gate = new Gate(aloneWithinMs)
  const environment = environmentOf(options)
  const start = (args: readonly string[]) => startRestic(options.program ?? 'restic', args, environment)

  /** Runs restic to its end; returns what it wrote. */
  const run = async (args: readonly string[]): Promise<string> => {
    const child = start(args)
    const output = textOf(child.stdout)
    await child.ended
    return await output
  }
  const listed = async (...snapshots: string[]): Promise<StoredCopy[]> => {
    const found = snapshotSchema.parse(
      JSON.parse(await run(['snapshots', '--json', '--no-lock', '--host', host, ...snapshots])),
    )
    return found.map(({ id, time, tags }) => ({
      snapshot: id,
      createdAt: Date.parse(time),
      tags: tagsOf(tags ?? []),
    }))
  }

  return {
    address: repository.replace(/\/\/[^/@]*@/, '//'),
    open: async ({ inUse }) => {
      try {
        await run(['cat', 'config', '--no-lock'])
        return
      } catch (error) {
        if (!isAbsent(error)) throw error
      }
      if (inUse)
        throw new StoreError(
          `there is no store at ${repository}, where backups were kept. Is its disk mounted? Nothing was made in its place`,
        )
      if (!/^[a-z0-9]+:/.test(repository)) mkdirSync(repository, { recursive: true, mode: 0o700 })
      await run(['init'])
    },
    put: (tags, write, signal) =>
      gate.beside(() =>
        unlessLocked(run, signal, async () => {
          const child = start(['backup', '--stdin', '--host', host, '--json', '--quiet', ...namesOf(tags)])
          const stop = () => void child.interrupt()
          signal.addEventListener('abort', stop)
          const said = textOf(child.stdout)
          try {
            await feed(child, write)
            await child.ended
            const summary = summarySchema.parse(JSON.parse((await said).trim().split('\n').at(-1) ?? ''))
            const [kept] = await listed(summary.snapshot_id)
            if (!kept) throw new StoreError('the store does not list the backup that it has just taken')
            const { total_bytes_processed: bytes, data_added: storedBytes } = summary
            return { snapshot: kept.snapshot, bytes, storedBytes }
          } finally {
            signal.removeEventListener('abort', stop)
            await child.interrupt()
          }
        }),
      ),
    read: (snapshot, output, signal) =>
      gate.beside(async () => {
        const { paths = [] } =
          snapshotSchema.parse(JSON.parse(await run(['snapshots', '--json', '--no-lock', snapshot])))[0] ?? {}
        const child = start(['dump', '--no-lock', snapshot, paths[0] ?? `/${archiveName}`])
        const stop = () => void child.interrupt()
        signal.addEventListener('abort', stop)
        try {
          await pipeline(child.stdout, output, { end: false })
          await child.ended
          output.end()
        } finally {
          signal.removeEventListener('abort', stop)
          await child.interrupt()
        }
      }),
    list: () => gate.beside(() => listed()),
    forget: (instanceId, snapshots) =>
      gate.alone(async () => {
        if (snapshots.length === 0) return
        const own = (await listed(...snapshots)).filter(({ tags }) => (tags?.instance ?? null) === instanceId)
        if (own.length === 0) return
        await unlessLocked(run, never, () => run(['forget', ...own.map(({ snapshot }) => snapshot)]))
      }),
    prune: () =>
      gate.alone(async () => {
        await unlessLocked(run, never, () => run(['prune', '--max-unused', '10%']))
      }),
  }
}

const never = new AbortController().signal

/** Tries for a lock: another program of the store may hold it for a moment. */
const lockTries = 20
const lockPauseMs = 1500

/** Repeats `work` while another restic has the store locked. A lock whose program was killed is removed. */
async function unlessLocked<T>(
  run: (args: readonly string[]) => Promise<string>,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work()
    } catch (error) {
      const locked = error instanceof StoreError && /already locked/.test(error.message)
      if (!locked || tries === lockTries || signal.aborted) throw error
      await run(['unlock'])
      await setTimeout(lockPauseMs)
    }
  }
}

function namesOf(tags: CopyTags | null): string[] {
  return [
    '--stdin-filename',
    tags ? archiveName : recordsName,
    ...Object.entries(tags ?? { kind: 'control-plane' }).flatMap(([key, value]) => [
      '--tag',
      `${key}=${value.replaceAll(',', ' ')}`,
    ]),
  ]
}

/**
 * Has `write` feed a restic that reads from its standard input. restic keeps whatever it got when its input ends, so the input
 * is ended only after `write` has succeeded: before that, restic is interrupted.
 */
async function feed(child: Restic, write: (output: Writable) => Promise<void>): Promise<void> {
  const input = new PassThrough({ highWaterMark: 1024 * 1024 })
  const feeding = pipeline(input, child.stdin, { end: false })
  feeding.catch(() => {})
  const writing = write(input).then(() => input.end())
  writing.catch(() => {})
  try {
    // A restic that fails reads no further, and says why.
    await Promise.race([Promise.all([writing, feeding]), child.ended.then(() => writing)])
    child.stdin.end()
  } catch (error) {
    const words = await Promise.race([
      child.ended.catch((failure: unknown) => failure),
      setTimeout(isClosed(error) ? killAfterMs : 100, null),
    ])
    await child.interrupt()
    input.destroy()
    // Its input breaks off when restic fails.
    throw words instanceof StoreError ? words : error
  }
}

/** Whether the reader closed a stream: a restic that does so is ending, and what it says of the cause may take a while on a busy host. */
function isClosed(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'EPIPE' || code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE'
}

interface Restic {
  stdin: Writable
  stdout: NodeJS.ReadableStream
  /** Rejects with restic's own words when it fails. */
  ended: Promise<void>
  /** Ends it, if it has not ended. */
  interrupt(): Promise<void>
}

/**
 * A control plane that is killed takes its restic along: one whose input just ends would keep half an archive as a copy. On
 * systems without this, a copy that is not whole is found when it is proven or restored.
 */
const setpriv = '/usr/bin/setpriv'
const endsWithUs = existsSync(setpriv) ? [setpriv, '--pdeathsig', 'KILL'] : []

function startRestic(program: string, args: readonly string[], env: Record<string, string>): Restic {
  const [first = program, ...rest] = [...endsWithUs, program, ...args]
  const child = spawn(first, rest, { env, stdio: ['pipe', 'pipe', 'pipe'], detached: true })
  if (child.pid !== undefined) beLast(child.pid)
  let words = ''
  child.stderr.on('data', piece => {
    words = `${words}${piece}`.slice(-keptCharacters)
  })
  child.stdin.on('error', () => {})
  const ended = endOf(child, args[0] ?? '', () => words)
  ended.catch(() => {})
  return {
    stdin: child.stdin,
    stdout: child.stdout,
    ended,
    interrupt: async () => {
      if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
      child.kill('SIGINT')
      const timer = globalThis.setTimeout(() => child.kill('SIGKILL'), killAfterMs)
      await ended.catch(() => {})
      clearTimeout(timer)
    },
  }
}

/** Jobs come first; a copy goes on all the same, on a host that is always busy too. */
function beLast(pid: number): void {
  try {
    setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL)
  } catch {
    // It has ended.
  }
}

async function endOf(child: ChildProcess, command: string, words: () => string): Promise<void> {
  let code: number | null
  try {
    ;[code] = (await once(child, 'close')) as [number | null]
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw new StoreError(howToInstall, { missing: true })
    throw new StoreError(`restic cannot be started: ${(error as Error).message}`)
  }
  if (code === 127) throw new StoreError(howToInstall, { missing: true })
  if (code !== 0) throw new StoreError(`restic ${command} failed: ${words().trim() || 'it was ended'}`)
}

function isAbsent(error: unknown): boolean {
  return (
    error instanceof StoreError &&
    /unable to open config file: .*(no such file|not exist)/i.test(error.message)
  )
}

function environmentOf({
  repository,
  passwordFile,
  folder,
  environment,
}: ResticOptions): Record<string, string> {
  const temporary = join(folder, 'tmp')
  mkdirSync(temporary, { recursive: true, mode: 0o700 })
  return {
    PATH: process.env.PATH ?? '',
    HOME: folder,
    TMPDIR: temporary,
    RESTIC_REPOSITORY: repository,
    RESTIC_PASSWORD_FILE: passwordFile,
    RESTIC_CACHE_DIR: join(folder, 'cache'),
    // Half of the processors at most.
    GOMAXPROCS: String(Math.max(1, Math.floor(availableParallelism() / 2))),
    ...environment,
  }
}

function tagsOf(tags: readonly string[]): CopyTags | null {
  const found = new Map(tags.map(tag => [tag.slice(0, tag.indexOf('=')), tag.slice(tag.indexOf('=') + 1)]))
  const [copy, instance] = [found.get('copy'), found.get('instance')]
  if (copy === undefined || instance === undefined) return null
  const of = (name: string) => found.get(name) ?? ''
  return { copy, instance, name: of('name'), reason: of('reason'), image: of('image') }
}

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of stream) pieces.push(Buffer.from(piece))
  return Buffer.concat(pieces).toString('utf8')
}
