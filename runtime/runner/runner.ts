// A program of its own: one run of one job. Ends when the function of the job does, whatever the job left open.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { format } from 'node:util'
import type { JobDefinition } from '../../sdk/jobs.js'
import { isTooDeepJson, maxJsonDepth } from '../../src/json-depth.ts'
import { explainAccessDenied } from '../isolation/access-denied.ts'
import { prepareConfinement } from '../isolation/confinement.ts'
import { loadFilePromises } from '../isolation/file-promises.ts'
import { processMark } from '../isolation/marks.ts'
import { changeOpenFiles } from '../isolation/open-files.ts'
import { answerProbes } from '../isolation/probes.ts'
import { loadLater } from '../modules/later.ts'
import { type Served, sdk, serveModules, servingOf, standForManifest } from '../modules/serve.ts'
import { waitingChannelToParent } from '../process/parent-channel.ts'
import { nameCallSites } from './call-sites.ts'
import { failureInWords } from './failure.ts'
import { contextOf } from './job-context.ts'
import { writeInOrder } from './ordered-writing.ts'
import {
  exitedInWords,
  type RunnerStart,
  type RunReport,
  type RunRequest,
  resultLimitBytes,
} from './run-protocol.ts'

const given = JSON.parse(process.argv[2] ?? '') as RunnerStart
const parent = waitingChannelToParent<RunRequest>(given.endsWith)
answerProbes()
changeOpenFiles()
// After that, because what it changes is called by a job, too.
nameCallSites()
const output = writeInOrder(process.env[processMark] ?? '')
// Programs that a job is written with read the rest as theirs.
process.argv.splice(2)
const confinement = prepareConfinement(given.reach)
/** Made when the job first reads its signal: loading what it is takes long. */
let stopping: AbortController | null = null
let isStopping = false
/** Where the SDK puts what the manifest registers. Where in the manifest that was is for its reader only. */
const registered = Object.assign([] as { job: JobDefinition }[], { sites: false })
Reflect.set(globalThis, Symbol.for('longhouse.registered'), registered)
let repo = ''
let served: (Served & { build: string }) | null = null

// The channel does not keep the process alive, so a job that waits for nothing is noticed (`beforeExit`).
void prepare().then(() => {
  const request = parent.waitForQuestion()
  repo = request.repo
  return run(request)
})
process.on('unhandledRejection', fail)
process.on('uncaughtException', fail)
process.on('SIGTERM', () => {
  isStopping = true
  stopping?.abort(new Error('the run is being ended'))
  // A job that does not read its signal has nothing to tidy up. No exit here: the programs that it started are found
  // as children of this process, which has to exist until they are gone.
  if (!stopping) fail(new Error('the process of the run was asked to end, by SIGTERM'))
})
process.once('beforeExit', () => {
  fail(
    new Error(
      "the job's promise was never settled: nothing is left that it could wait for. Is an await missing?",
    ),
  )
})

const { exit } = process
process.on('exit', code => {
  // Not when a job emits the event itself.
  if (!Reflect.get(process, '_exiting')) return
  const error = new Error(exitedInWords(code))
  // The stack begins where the job called it.
  Error.captureStackTrace(error, exit)
  if (!reported) parent.answer({ error: failureInWords(error, { repo, sites: served?.sites }) })
})

/** A job that reads its signal gets time to tidy up. */
function signal(): AbortSignal {
  stopping ??= new AbortController()
  return stopping.signal
}

/** Does what a run does before any code of the customer, as far as it is known which code that will be. */
async function prepare(): Promise<void> {
  const { code } = given
  try {
    if (code) serve(code)
    // Every manifest imports it, and the first module of a process takes longer than those that follow.
    await import(sdk)
    // What takes time, of which a runner that waits has enough.
    if (given.waits) {
      loadFilePromises()
      void globalThis.AbortController
    }
  } catch {
    // The run will say why.
  }
}

function serve(code: { build: string; repo: string }): void {
  if (served?.build === code.build) return
  served?.end()
  served = { build: code.build, ...serveModules(servingOf(code)) }
}

async function run(request: RunRequest): Promise<void> {
  if (isStopping) return
  try {
    process.chdir(repo)
    standForManifest(repo)
    // Before any code of the customer runs, but not when the process starts, where a list of processes would show them.
    const names = { LONGHOUSE_RUN_ID: request.run.id, LONGHOUSE_JOB_ID: request.jobId }
    Object.assign(process.env, request.secrets, names)
    confinement.begin()
    explainAccessDenied()
    serve(request)
    await import(pathToFileURL(join(repo, 'manifest.ts')).href)
    output.markStarts()
    const found = registered.find(each => each.job.id === request.jobId)
    if (!found) throw new Error(`the manifest did not register ${request.jobId} this time`)
    const func = (await loadLater(found.job.func)) as JobDefinition['func']
    const params = await loadLater(found.job.params)
    const result = await callAlone(func, await contextOf(request, params, { signal, call: parent.call }))
    // Unhandled rejections are reported at the end of this iteration of the event loop.
    await new Promise(done => setImmediate(done))
    report({ result: kept(result) })
  } catch (error) {
    fail(error)
  }
}

/**
 * Calls a function with none of our own frames above it, also none by way of `await`: a stack that a job prints shows
 * its own functions. Not as a method either, because the stack would name the object.
 */
function callAlone<C, R>(func: (context: C) => R, context: C): Promise<R> {
  const { promise, resolve, reject } = Promise.withResolvers<R>()
  const given = Promise.resolve(context) as Promise<C>
  void given.then(func).then(
    value => resolve(value),
    error => reject(error),
  )
  return promise
}

function kept(result: unknown): string | null {
  if (result === undefined) return null
  const say = (why: string) => process.stdout.write(`[longhouse] The result is not kept: ${why}.\n`)
  try {
    const text: string | undefined = JSON.stringify(result)
    if (text === undefined) say(`a ${typeof result} cannot be written as JSON`)
    else if (Buffer.byteLength(text) > resultLimitBytes)
      say(`it has ${Buffer.byteLength(text)} bytes of JSON, more than ${resultLimitBytes}`)
    else if (isTooDeepJson(text)) say(`it is nested more than ${maxJsonDepth} deep`)
    else return text
  } catch (error) {
    say((error as Error).message)
  }
  return null
}

function fail(error: unknown): void {
  report({ error: failureInWords(error, { repo, sites: served?.sites }) })
}

let reported = false

function report(message: RunReport): void {
  if (reported) return
  reported = true
  const code = 'error' in message ? 1 : 0
  tidyUp(code)
  // Output waits while a pipe is full; an answer now would lose the end of the log.
  void output.flush().then(() => parent.answer(message))
}

/** Runs the exit handlers now, because the runtime kills this process once it has the answer. */
function tidyUp(code: number): void {
  try {
    process.emit('exit', code)
  } catch (error) {
    process.stderr.write(`[longhouse] At the exit: ${format(error)}\n`)
  }
}
