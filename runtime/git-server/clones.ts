import { rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { limit } from '../../src/concurrency.ts'
import { overloaded } from '../../src/http/problem.ts'
import { reachOfClones } from '../isolation/reach.ts'
import { makeTemporary } from '../isolation/temporary.ts'
import { startSystemProgram } from '../process/child-program.ts'
import { watchMemory } from '../process/memory.ts'
import { processTree } from '../process/process-tree.ts'
import { gitEnvironment, makeServedRepo, type Shown } from './served-repo.ts'

export interface CloneLimits {
  /** The time limit of one answer. */
  limitMs: number
  /** The memory of git in one answer. */
  memoryMb: number
}

export interface CloneRequest {
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

let answers = 0

export function openClones({
  git,
  jobsDir,
  limits: { limitMs, memoryMb },
}: {
  /** Absolute path of the program. */
  git: string
  jobsDir: string
  limits: CloneLimits
}): Clones {
  const places = limit(atOnce, queued, () =>
    overloaded('Others are cloning the jobs repo. Try again in a few seconds.', {
      headers: { 'Retry-After': '5' },
    }),
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
      output.destroy(new Error(why))
      void end()
    }
    const timer = setTimeout(() => cut('the clone took too long'), limitMs)
    const forget = watchMemory(tree, memoryMb, () => cut('the clone took too much memory'))
    child.stderr?.resume()
    child.stdin?.on('error', () => {})
    if (body)
      Readable.from(body)
        .on('error', () => cut('the request broke off'))
        .pipe(child.stdin as never)
    else child.stdin?.end()
    // The client has gone.
    output.once('close', () => void end())
    const ended = new Promise<void>(resolve => {
      child.once('error', error => {
        output.destroy(error)
        resolve()
      })
      child.once('exit', code => {
        if (code !== 0 && !output.readableEnded) output.destroy(new Error('git broke off'))
        resolve()
      })
    }).then(async () => {
      clearTimeout(timer)
      forget()
      going.delete(end)
      rmSync(repo, { recursive: true, force: true })
      await temporary.remove()
    })
    return { output, ended }
  }

  return {
    answer: request => {
      const started = Promise.withResolvers<Readable>()
      places(async () => {
        const { output, ended } = start(request)
        started.resolve(output)
        await ended
      }).catch(started.reject)
      return started.promise
    },
    stop: async () => {
      await Promise.all([...going].map(end => end()))
    },
  }
}
