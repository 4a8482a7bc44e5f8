import { rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { limit, limitByKey } from '../../src/concurrency.ts'
import { overloaded } from '../../src/http/problem.ts'
import { reachOfClones } from '../isolation/reach.ts'
import { makeTemporary } from '../isolation/temporary.ts'
import { startSystemProgram } from '../process/child-program.ts'
import { watchMemory } from '../process/memory.ts'
import { processTree } from '../process/process-tree.ts'
import { gitEnvironment, makeServedRepo, type Shown } from './served-repo.ts'

interface Pace {
  /** How long a client may let the answer wait, at any speed. */
  graceMs: number
  /** How fast it must read beyond that. */
  bytesPerSecond: number
}

export interface CloneLimits {
  /** The time limit of one answer. */
  limitMs: number
  /** The memory of git in one answer. */
  memoryMb: number
  /** How long a request may take to arrive. */
  arrivalMs: number
  pace: Pace
}

export interface CloneRequest {
  /** Who asks: the name of a token, or an address. */
  client: string
  shown: Shown
  /** The wish of the client, such as `version=2`. */
  protocol: string
  /** Null to list the branches; else what the client asks for. */
  body: AsyncIterable<Uint8Array> | null
}

/** Answers clones and pulls with `git upload-pack`, in processes that only read the jobs repo. */
export interface Clones {
  /** The answer as git gives it. Rejects with `overloaded`. */
  answer(request: CloneRequest): Promise<Readable>
  /** Ends those in progress. */
  stop(): Promise<void>
}

const atOnce = 3
const queued = 8
/** One client leaves places to the others. */
const ofOneClient = { atOnce: 2, queued: 4 }

let answers = 0

export function openClones({
  git,
  jobsDir,
  limits: { limitMs, memoryMb, arrivalMs, pace },
}: {
  /** Absolute path of the program. */
  git: string
  jobsDir: string
  limits: CloneLimits
}): Clones {
  const full = (words: string) => () =>
    overloaded(`${words} Try again in a few seconds.`, { headers: { 'Retry-After': '5' } })
  const places = limit(atOnce, queued, full('Others are cloning the jobs repo.'))
  const clients = limitByKey(
    ofOneClient.atOnce,
    ofOneClient.queued,
    full('Too many clones with the same token are in progress.'),
  )
  const going = new Set<() => Promise<void>>()
  const volumeDir = dirname(jobsDir)

  const start = ({ shown, protocol, body }: CloneRequest) => {
    const mark = `clone-${process.pid}-${++answers}`
    const temporary = makeTemporary(volumeDir, 'clone')
    const repo = join(temporary.path, 'jobs.git')
    makeServedRepo(repo, jobsDir, shown)
    const child = startSystemProgram({
      jobsDir,
      cwd: temporary.path,
      file: git,
      args: ['upload-pack', '--stateless-rpc', ...(body ? [] : ['--advertise-refs']), '--strict', repo],
      mark,
      reach: reachOfClones(volumeDir, jobsDir, temporary.path),
      temporary,
      memoryMb,
      env: { ...gitEnvironment, ...(protocol && { GIT_PROTOCOL: protocol }) },
      takesInput: true,
    })
    const output = child.stdout as Readable
    const tree = child.pid === undefined ? null : processTree(child.pid, mark, { adopts: true })
    const end = async () => void (await tree?.destroy())
    going.add(end)
    const cut = (why: string) => {
      answer.destroy(new Error(why))
      void end()
    }
    const answer = Readable.from(paced(output, pace, cut), { objectMode: false })
    const timer = setTimeout(() => cut('the clone took too long'), limitMs)
    const forget = watchMemory(tree, memoryMb, () => cut('the clone took too much memory'))
    child.stderr?.resume()
    child.stdin?.on('error', () => {})
    let arrival: NodeJS.Timeout | undefined
    if (body) {
      arrival = setTimeout(() => cut('the request took too long to arrive'), arrivalMs)
      Readable.from(body)
        .on('error', () => cut('the request broke off'))
        .on('end', () => clearTimeout(arrival))
        .pipe(child.stdin as never)
    } else child.stdin?.end()
    // The client has gone.
    answer.once('close', () => {
      output.destroy()
      void end()
    })
    const ended = new Promise<void>(resolve => {
      child.once('error', error => {
        answer.destroy(error)
        resolve()
      })
      child.once('exit', code => {
        if (code !== 0 && !output.readableEnded) answer.destroy(new Error('git broke off'))
        resolve()
      })
    }).then(async () => {
      clearTimeout(timer)
      clearTimeout(arrival)
      forget()
      going.delete(end)
      rmSync(repo, { recursive: true, force: true })
      await temporary.remove()
    })
    return { answer, ended }
  }

  return {
    answer: request => {
      const started = Promise.withResolvers<Readable>()
      const serve = async () => {
        const { answer, ended } = start(request)
        started.resolve(answer)
        await ended
      }
      clients(request.client, () => places(serve)).catch(started.reject)
      return started.promise
    },
    stop: async () => {
      await Promise.all([...going].map(end => end()))
    },
  }
}

const longestTimerMs = 2 ** 31 - 1

/**
 * Passes an answer on, and calls `cut` when its client reads too slowly. Only the time counts in which data waited for the
 * client: git may think as long as it needs.
 */
async function* paced(
  output: AsyncIterable<Uint8Array>,
  { graceMs, bytesPerSecond }: Pace,
  cut: (why: string) => void,
): AsyncGenerator<Uint8Array> {
  let sent = 0
  let waitedMs = 0
  for await (const piece of output) {
    const leftMs = graceMs + (sent / bytesPerSecond) * 1000 - waitedMs
    const timer = setTimeout(
      () => cut('the client reads too slowly'),
      Math.min(Math.max(0, leftMs), longestTimerMs),
    )
    const began = performance.now()
    try {
      yield piece
    } finally {
      clearTimeout(timer)
    }
    waitedMs += performance.now() - began
    sent += piece.byteLength
  }
}
