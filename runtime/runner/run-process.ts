import { existsSync } from 'node:fs'
import type { Duplex, Readable } from 'node:stream'
import { z } from 'zod'
import { waitAtMost } from '../../src/concurrency.ts'
import { isTooDeepJson } from '../../src/json-depth.ts'
import { makeScratchFolder } from '../isolation/reach.ts'
import { ask, type Channel } from '../process/channel.ts'
import { watchMemory } from '../process/memory.ts'
import { processTree } from '../process/process-tree.ts'
import type { JobState } from './job-state.ts'
import { readInOrder } from './ordered-reading.ts'
import type { RunLog } from './run-log.ts'
import { exitedInWords, failureLimits, type RunRequest, resultLimitBytes } from './run-protocol.ts'
import type { Runners } from './spare-runner.ts'
import { answerCalls } from './state-calls.ts'

/** How the process of a run ended, unless the runtime ended it. */
export type RunEnd =
  | { status: 'succeeded'; result: unknown }
  | { status: 'failed'; error: { message: string; stack: string | null } }

export interface RunProcess {
  /** Resolves when the process and everything that it started are gone. Never rejects. */
  ended: Promise<RunEnd>
  /** Asks the whole process tree to end, and kills what is left after `graceMs`. 0 kills at once, even after an earlier call. */
  end(graceMs: number): void
}

const noJobsFolder =
  'the jobs folder is not there; put it back, or make a new one on the page of the jobs repo'

/** The largest report: a result, or a message and a stack, as JSON within JSON. */
const reportLimitBytes = 1024 * 1024

/** A job may send anything over its channel, so its report is checked. */
const reportSchema = z.union([
  z.object({
    error: z.object({ message: z.string(), stack: z.string().nullable() }),
  }),
  z.object({
    result: z
      .string()
      .max(resultLimitBytes)
      .refine(json => !isTooDeepJson(json))
      .nullable(),
  }),
])

/**
 * Starts the process of one run, with its output going to the log:
 *
 * 1. Take a runner, and send it the request.
 * 2. Pass its output to the log, and watch the memory of its process tree.
 * 3. When it reports its result, or needs too much memory, kill the tree.
 * 4. When it has exited, kill what it left running, remove its temporary folder, and read the rest of its output.
 *
 * The first reason to end is the one that counts: the report, too much memory, or else how the process exited.
 */
export function startRunProcess(
  request: RunRequest,
  options: {
    log: Pick<RunLog, 'write'>
    runners: Pick<Runners, 'take'>
    /** What the run may hold with all that it starts, in MiB. */
    memoryMb: number
    state: JobState
  },
): RunProcess {
  const { log, runners, memoryMb } = options
  if (!existsSync(request.repo)) return { ended: Promise.resolve(failed(noJobsFolder)), end: () => {} }
  // The jobs folder may have been replaced while a runner waited.
  makeScratchFolder(request.repo)
  const { child, mark, temporary } = runners.take(request.build, memoryMb)
  const tree = child.pid === undefined ? null : processTree(child.pid, mark, { adopts: true })
  const channel = ask(child.stdio[3] as Duplex, request, reportLimitBytes, answerCalls(options.state))

  let lastWords = ''
  let end: RunEnd | null = null
  const sources = { out: child.stdout as Readable, err: child.stderr as Readable }
  const output = readInOrder(sources, mark, (stream, bytes) => {
    if (stream === 'err') lastWords = (lastWords + bytes.subarray(-4000).toString('latin1')).slice(-4000)
    log.write(stream, bytes)
  })
  const stopWatch = watchMemory(tree, memoryMb, () => {
    end ??= failed(tooMuchMemory(memoryMb))
    void tree?.destroy()
  })
  const reported = channel.answer.then(answer => {
    if (!answer) return
    stopWatch()
    end ??= endOf(answer)
    // The process waits to be ended, and nothing more is read from it.
    void tree?.destroy()
  })
  /** Resolves with a function that says how the process exited. Call it once its output is read. */
  const exited = new Promise<() => RunEnd>(resolve => {
    child.once('error', error => {
      if (child.pid !== undefined) return
      // Node blames the program when the folder is missing.
      const why = `the process of the run could not be started: ${error.message}`
      resolve(() => failed(existsSync(request.repo) ? why : noJobsFolder))
    })
    child.once('exit', (code, signal) => resolve(() => failed(endInWords(code, signal, lastWords, memoryMb))))
  })
  const closed = new Promise(resolve => child.once('close', resolve))
  let killTimer: NodeJS.Timeout | undefined
  const ended = exited.then(async inWords => {
    clearTimeout(killTimer)
    stopWatch()
    // End what it left running, which also closes the pipes.
    await tree?.destroy()
    // When the end is announced, nothing is left; but a folder of a million files is not waited for.
    await waitAtMost(temporary.remove(), 1000)
    // The last of its output and its report may still be in the pipes.
    if (tree) await waitAtMost(reported, 1000)
    channel.close()
    if (tree) await waitAtMost(closed, 1000)
    output.end()
    child.stdout?.destroy()
    child.stderr?.destroy()
    return end ?? inWords()
  })
  return {
    ended,
    end: graceMs => {
      tree?.signal('SIGTERM')
      if (graceMs === 0) void tree?.destroy()
      else killTimer ??= setTimeout(() => void tree?.destroy(), graceMs)
    },
  }
}

function endOf(answer: NonNullable<Awaited<Channel['answer']>>): RunEnd {
  const report = 'said' in answer ? reportSchema.safeParse(answer.said).data : undefined
  if (!report) return failed('the job sent something else than its result over the channel of its runner')
  if ('error' in report) {
    const { message, stack } = report.error
    return {
      status: 'failed',
      error: {
        message: message.slice(0, failureLimits.message),
        stack: stack?.slice(0, failureLimits.stack) ?? null,
      },
    }
  }
  try {
    return { status: 'succeeded', result: report.result === null ? null : JSON.parse(report.result) }
  } catch {
    return failed('the result of the job is not JSON')
  }
}

function failed(message: string): RunEnd {
  return { status: 'failed', error: { message, stack: null } }
}

function endInWords(
  code: number | null,
  signal: NodeJS.Signals | null,
  lastWords: string,
  memoryMb: number,
): string {
  if (/heap out of memory|heap limit/i.test(lastWords)) {
    return tooMuchMemory(memoryMb)
  }
  if (signal === 'SIGKILL')
    return 'the process of the run was ended by SIGKILL, as the system does when the memory of the instance is used up'
  if (signal) return `the process of the run was ended by ${signal}`
  return exitedInWords(code)
}

function tooMuchMemory(memoryMb: number): string {
  return `the job used more than its ${memoryMb} MiB of memory and was ended; \`memory\` in the manifest gives it more`
}
